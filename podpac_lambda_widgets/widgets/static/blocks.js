// The parts of a form, one kind of block each.
const STEP = { waiting: ['wait', 'waiting'], working: ['busy', 'working'], done: ['check', 'done'], failed: ['alert', 'failed'], stopped: ['stop', 'stopped'] };
// A sign beside each colour.
const LAMP = { on: 'check', part: 'alert', bad: 'alert' };
// Blocks that have a script of their own: name -> what draws it, with the parameters of drawBlock.
const BLOCKS = {};

function drawBlock(form, block, paints, flushes, view) {
  const part = (name, node, paint) => { paints[name].push(() => paint(node)); return node; };
  switch (block.block) {
    case 'fields': {
      const fields = block.fields.map((field) => drawField(form, field, paints, flushes));
      const set = h('fieldset', { class: `plw-group${block.grows ? ' plw-grows' : ''}`, style: block.columns ? `--columns:${block.columns}` : null },
        block.legend ? h('legend', {}, block.legend) : null,
        block.hint ? h('p', { class: 'plw-lead' }, block.hint) : null, h('div', { class: 'plw-grid' }, fields));
      return set;
    }
    case 'folded': {
      const said = h('span', { class: 'plw-folded-said' });
      const names = block.blocks.flatMap((inner) => (inner.fields || []).map((field) => field.name));
      const details = h('details', { class: 'plw-folded' },
        h('summary', {}, h('span', { class: 'plw-folded-label' }, block.label), said),
        h('div', { class: 'plw-folded-body' }, block.blocks.map((inner) => drawBlock(form, inner, paints, flushes, view))));
      let wrong = false;
      paints.fields.push(() => {
        const now = names.some((name) => (unpack(form, 'fields')[name] || {}).error);
        // What is wrong must be seen; who folds it all the same may.
        if (now && !wrong) details.open = true;
        wrong = now;
      });
      return part('folded', details, () => { said.textContent = unpack(form, 'folded')[block.name] || ''; });
    }
    case 'columns':
      return h('div', { class: 'plw-columns' }, block.columns.map((column) =>
        h('div', { class: 'plw-column' }, column.map((inner) => drawBlock(form, inner, paints, flushes, view)))));
    case 'actions':
      return h('div', { class: 'plw-actions', role: 'group', 'aria-label': block.legend || null },
        block.legend ? h('span', { class: 'plw-actions-legend', 'aria-hidden': 'true' }, block.legend) : null,
        block.actions.map((action) => drawButton(form, action, paints, flushes, view)));
    case 'question': {
      const id = `plw-${++count}`, text = h('p', { id });
      const fields = (block.fields || []).map((field) => drawField(form, field, paints, flushes));
      const buttons = block.actions.map((action) => drawButton(form, action, paints, flushes, view));
      // The last action loses nothing: it has the focus where nothing is to be typed, and Escape means it.
      const safe = buttons[buttons.length - 1][0];
      let before = null;
      const onkeydown = (event) => { if (event.key === 'Escape') safe.click(); };
      return part('question', h('div', {
        class: 'plw-question', role: 'alertdialog', 'aria-label': 'Please confirm', 'aria-describedby': id, onkeydown,
      }, icon('alert'), h('div', {}, text, fields, h('div', { class: 'plw-actions' }, buttons))), (node) => {
        const question = form.get('question') || '', focused = document.activeElement;
        const appears = question && node.hidden, inside = node.contains(focused);
        text.textContent = question;
        node.hidden = !question;
        // Only where the person pressed Delete, and not out of a field they have gone on to.
        if (appears && view.id === pressed && node.isConnected && !focused?.matches('input, select, textarea')) {
          before = focused;
          (fields.find((field) => !field.hidden)?.querySelector('input') || safe).focus();
        } else if (!question && inside) before?.focus();
      });
    }
    case 'steps': {
      // Every step is drawn anew each time: what is read aloud is only which one has gone on.
      const list = h('ol', { class: 'plw-steps' }), heard = h('p', { class: 'plw-sr', role: 'status' });
      return part('steps', h('div', { class: 'plw-steps-place' }, list, heard), () => {
        const steps = unpack(form, 'steps');
        list.hidden = !steps.length;
        list.replaceChildren(...steps.map((step) => h('li', { 'data-state': step.state },
          icon(STEP[step.state][0]), h('span', { class: 'plw-step' }, step.text, h('span', { class: 'plw-sr' }, `: ${STEP[step.state][1]}`)),
          step.total && step.state === 'working' ? h('progress', { max: step.total, value: String(step.done), 'aria-label': step.text }) : null,
          h('span', { class: 'plw-detail' }, step.detail || ''))));
        const last = steps.filter((step) => step.state !== 'waiting').pop();
        const text = last ? `${last.text}: ${STEP[last.state][1]}` : '';
        if (heard.textContent !== text) heard.textContent = text;
      });
    }
    case 'card':
      return part('card', h('div', { class: 'plw-card-place', 'aria-live': 'assertive' }), (node) => {
        const card = unpack(form, 'card');
        if (!card.what) { node.replaceChildren(); return; }
        node.replaceChildren(h('div', { class: 'plw-card', 'data-tone': card.tone },
          icon(card.tone === 'info' ? 'info' : 'alert'),
          h('div', {}, h('p', { class: 'plw-card-what' }, card.what), card.why ? h('p', {}, card.why) : null,
            card.next_step ? h('p', { class: 'plw-card-next' }, card.next_step) : null,
            card.details ? h('details', {}, h('summary', {}, 'Details'), h('pre', { tabindex: '0' }, card.details)) : null,
            card.copy ? h('details', {}, h('summary', {}, card.copy.summary), drawCopy(card.copy.text)) : null)));
      });
    case 'sign_in': {
      const buttons = block.actions.map((action) => drawButton(form, action, paints, flushes, view));
      const place = h('div', { class: 'plw-sign-in', role: 'group', 'aria-label': 'Sign in by a browser' });
      view.timers.push(setInterval(() => place.tick?.(), 1000));
      return part('card', place, (node) => drawSignIn(node, unpack(form, 'card').sign_in, buttons, view));
    }
    case 'table':
      return part('table', h('div', { class: 'plw-plan' }), (node) => {
        const table = unpack(form, 'table');
        node.hidden = !table.rows;
        if (!table.rows) { node.replaceChildren(); return; }
        const { remark, calls } = table;
        node.replaceChildren(h('div', { class: 'plw-table' }, h('table', {}, h('caption', {}, table.caption),
          h('thead', {}, h('tr', {}, table.columns.map((name) => h('th', { scope: 'col' }, name)))),
          h('tbody', {}, table.rows.map((row) => h('tr', { 'data-tone': row.tone },
            row.cells.map((cell, i) => h('td', { 'data-label': table.columns[i] },
              i ? [].concat(cell).map((line) => h('div', {}, line)) : h('span', { class: 'plw-tag' }, cell)))))))),
        remark ? h('p', { class: 'plw-remark' }, remark) : '',
        calls?.lines ? h('details', { class: 'plw-remark' }, h('summary', {}, calls.summary), h('ol', { class: 'plw-calls' },
          calls.lines.map(([operation, resource]) => h('li', {}, h('span', { class: 'plw-mono' }, operation), ' ', h('span', {}, resource))))) : '');
      });
    case 'facts':
      countDown(form, view);
      return part('facts', h('dl', { class: 'plw-facts' }), (node) => {
        const facts = unpack(form, 'facts');
        node.hidden = !facts.length;
        node.replaceChildren(...facts.map(([term, value, fraction]) => h('div', {}, h('dt', {}, term), h('dd', {}, breakable(value),
          fraction === undefined ? null : h('span', { class: 'plw-bar', 'aria-hidden': 'true', 'data-over': fraction > 1, style: `--part:${Math.min(1, fraction)}` })))));
      });
    case 'log':
      return part('log', h('details', { class: 'plw-remark plw-log' }, h('summary', {}, block.label), h('pre', { tabindex: '0', role: 'group', 'aria-label': block.label })), (node) => {
        const lines = unpack(form, 'log');
        node.hidden = !lines.length;
        node.querySelector('pre').textContent = lines.join('\n');
      });
    case 'light': {
      const mark = h('span', { class: 'plw-lamp', 'aria-hidden': 'true' }), text = h('span'), when = h('span', { class: 'plw-when' });
      const buttons = block.actions.map((action) => drawButton(form, action, paints, flushes, view));
      return part('light', h('div', { class: 'plw-light', role: 'group', 'aria-label': 'In AWS' }, mark, h('p', { role: 'status' }, text, ' ', when), buttons), (node) => {
        const light = unpack(form, 'light');
        node.dataset.tone = light.tone;
        mark.replaceChildren(...[LAMP[light.tone]].filter(Boolean).map(icon));
        text.textContent = light.text || '';
        when.textContent = light.when || '';
      });
    }
    default:
      return (BLOCKS[block.block] || drawText)(form, block, paints, flushes, view);
  }
}

// An ARN is broken between its parts, where it is broken.
function breakable(value) {
  if (!String(value).startsWith('arn:')) return value;
  return String(value).split(/(?<=[:/])/).flatMap((part) => [part, h('wbr')]);
}

// Brings the fact that says how long the credentials last up to date, and asks the kernel when they should have ended: it
// may have newer ones.
function countDown(form, view) {
  if (form.get('expires') === undefined) return;
  const tick = () => {
    const until = form.get('expires'), left = Math.floor((until - Date.now()) / 60000), asked = form.plwAsked === until;
    if (!until) return;
    if (left < 0) {
      if (!asked) { form.plwAsked = until; form.send({ type: 'action', name: 'expired', view: view.id }); }
      return;
    }
    const day = left >= 2880 ? `${Math.floor(left / 1440)} days` : left < 120 ? `${left || 'less than 1'} min` : `${Math.floor(left / 60)} h ${left % 60} min`;
    form.set('facts', JSON.stringify(unpack(form, 'facts').map((fact) => (fact[0] === 'Credentials' ? [fact[0], fact[1].replace(/in .*?,/, `in ${day},`)] : fact))));
  };
  view.timers.push(setInterval(tick, 10000));
  tick();
}

// Only what leads to a page: an address comes from outside.
const WEB = /^https?:\/\//;

function drawSignIn(node, told, buttons, view) {
  const inside = node.contains(document.activeElement);
  node.hidden = !told;
  node.tick = null;
  if (!told) { node.replaceChildren(); return; }
  const code = h('strong', { class: 'plw-sign-in-code plw-mono', tabindex: '0', role: 'group', 'aria-label': `Code ${[...told.code].join(' ')}` }, told.code);
  const left = h('span', { class: 'plw-when', role: 'timer' }), said = h('span', { class: 'plw-hint', role: 'status' });
  const link = WEB.test(told.direct) ? h('a', { href: told.direct, target: '_blank', rel: 'noopener noreferrer' }, told.address) : h('span', {}, told.address);
  const copy = h('button', { type: 'button', class: 'plw-button', 'data-tone': 'chip', onclick: () => copyText(told.code, code, said) }, 'Copy');
  node.tick = () => {
    const seconds = Math.max(0, Math.round((told.until - Date.now()) / 1000));
    left.textContent = seconds ? `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s left` : 'The code has run out';
  };
  node.replaceChildren(icon('key'), h('div', {},
    h('p', { class: 'plw-card-what' }, 'Sign in by a browser, here or on another machine'),
    h('p', {}, 'Open ', link, ' and confirm this code there:'),
    h('div', { class: 'plw-actions' }, code, copy, said, left, buttons)));
  node.tick();
  // Where the person pressed Sign in, and has not gone on to a field.
  if (!inside && view.id === pressed && !document.activeElement?.matches('input, select, textarea')) link.focus();
}

function drawText(form, block) {
  return h('p', { class: 'plw-lead' }, block.text || '');
}
