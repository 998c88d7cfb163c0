// Draws the forms that Python describes. Text is only ever set as text, never as HTML.
const ICONS = {
  key: 'M14 3a7 7 0 0 0-6.7 9L2 17.3V22h4.7v-3h3v-3h2.4l.9-1A7 7 0 1 0 14 3Zm2.5 4.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Z',
  box: 'M12 2 3 6.5v11L12 22l9-4.5v-11L12 2Zm0 2.2 6.3 3.2L12 10.6 5.7 7.4 12 4.2ZM5 9.1l6 3v7.2l-6-3V9.1Zm14 0v7.2l-6 3v-7.2l6-3Z',
  cloud: 'M7 19a5 5 0 0 1-.8-9.9A6.5 6.5 0 0 1 18.7 10 4.5 4.5 0 0 1 18 19h-5v-5h2.5L12 10l-3.5 4H11v5H7Z',
  play: 'M7 4.5v15l12.5-7.5L7 4.5Z',
  chart: 'M4 4h2v14h14v2H4V4Zm4 9 4-5 3 3 4-5 1.6 1.2L15.2 14l-3-3-2.6 3.2L8 13Z',
  check: 'm9.5 17.6-5.6-5.6 1.9-1.9 3.7 3.7 8.7-8.7L20.1 7 9.5 17.6Z',
  alert: 'M12 3 1.5 21h21L12 3Zm-1.1 7h2.2v5.5h-2.2V10Zm0 7h2.2v2.2h-2.2V17Z',
  info: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.1 5h2.2v2.2h-2.2V7Zm0 4h2.2v6h-2.2v-6Z',
  download: 'M11 4h2v8.2l3.1-3.1 1.4 1.4L12 16l-5.5-5.5 1.4-1.4 3.1 3.1V4ZM5 18h14v2H5v-2Z',
  trash: 'M9 3h6l1 2h4v2H4V5h4l1-2ZM6 9h12l-1 12H7L6 9Z',
  stop: 'M6 6h12v12H6z',
  wait: 'M6 10.5h2.5v3H6zm4.8 0h2.4v3h-2.4zm4.7 0H18v3h-2.5z',
  busy: 'M12 3a9 9 0 1 0 9 9h-2.4A6.6 6.6 0 1 1 12 5.4V3Z',
};
const STANDING = { waiting: ['wait', 'Not yet'], ready: ['', 'Next'], working: ['busy', 'Working'], done: ['check', 'Done'], failed: ['alert', 'Needs attention'] };
const STEP = { waiting: ['wait', 'waiting'], working: ['busy', 'working'], done: ['check', 'done'], failed: ['alert', 'failed'], stopped: ['stop', 'stopped'] };
const PATIENCE_MS = 5000;
let count = 0;
// The view in which a button was pressed last: a notebook may show the same forms several times.
let pressed = '';

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `plw-icon plw-icon-${name}`);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name] || '');
  svg.append(path);
  return svg;
}

function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === false || value === null || value === undefined || value === '') continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ''));
  return node;
}

function drawField(form, field, paints, flushes) {
  const id = `plw-${++count}`;
  const input = h(field.kind === 'select' ? 'select' : field.kind === 'area' ? 'textarea' : 'input', {
    id, class: 'plw-input', rows: field.rows, spellcheck: 'false', autocomplete: 'off',
    'aria-describedby': `${id}-help ${id}-note ${id}-error`, autocapitalize: 'off',
  });
  const secret = field.kind === 'secret';
  if (secret) {
    input.type = 'password';
    input.autocomplete = 'new-password';
    input.setAttribute('data-lpignore', 'true');
    input.setAttribute('data-1p-ignore', '');
  } else if (field.kind === 'number') input.inputMode = 'decimal';
  if (field.mono) input.classList.add('plw-mono');
  let shown = input.value, revision = -1;
  const commit = () => {
    const value = input.value;
    if (secret) {
      input.value = '';
      if (value) form.send({ type: 'secret', name: field.name }, undefined, [new TextEncoder().encode(value)]);
    } else if (value !== shown) {
      shown = value;
      form.send({ type: 'input', name: field.name, value });
    }
  };
  input.addEventListener('change', commit);
  if (field.kind !== 'area') input.addEventListener('keydown', (e) => { if (e.key === 'Enter') commit(); });
  flushes.push(commit);
  const note = h('p', { id: `${id}-note`, class: 'plw-note' });
  const error = h('p', { id: `${id}-error`, class: 'plw-error', role: 'alert' });
  const box = h('div', { class: 'plw-field', style: `--span:${field.span};--narrow:${field.narrow || 12}` },
    h('label', { for: id }, field.label), input,
    h('p', { id: `${id}-help`, class: 'plw-help' }, field.help), note, error);
  paints.fields.push(() => {
    const state = form.get('fields')[field.name] || {};
    if (state.choices && field.kind === 'select') {
      const key = JSON.stringify(state.choices);
      if (input.dataset.choices !== key) {
        input.dataset.choices = key;
        input.replaceChildren(...state.choices.map(([value, text]) => h('option', { value: value || null }, text)));
        [...input.options].forEach((option, i) => { option.value = state.choices[i][0]; });
        revision = -1;
      }
    }
    if (!secret && state.revision !== revision) {
      const typing = document.activeElement === input && input.value !== shown;
      if (!typing) shown = input.value = state.value ?? '';
      revision = state.revision;
    }
    box.hidden = !!state.hidden;
    input.placeholder = state.placeholder || field.placeholder || '';
    note.replaceChildren(...(state.note ? [icon('check'), state.note] : []));
    input.setAttribute('aria-invalid', state.error ? 'true' : 'false');
    const text = state.error ? [icon('alert'), h('span', {}, state.error)] : [];
    if (error.textContent !== (state.error || '')) error.replaceChildren(...text);
  });
  return box;
}

function drawButton(form, action, paints, flushes, view) {
  const hint = h('span', { class: 'plw-hint' });
  const button = h('button', {
    type: 'button', class: 'plw-button', 'data-tone': action.tone,
    onclick: () => {
      if (button.getAttribute('aria-disabled') === 'true') return;
      flushes.forEach((flush) => flush());
      pressed = view.id;
      form.send({ type: 'action', name: action.name, view: view.id });
    },
  }, action.icon ? icon(action.icon) : null, h('span', {}, action.label));
  const paint = () => {
    const state = form.get('buttons')[action.name] || {};
    const off = state.disabled || (form.get('locked') && !state.stops);
    button.setAttribute('aria-disabled', off ? 'true' : 'false');
    if (state.pressed !== undefined) button.setAttribute('aria-pressed', String(!!state.pressed));
    button.hidden = hint.hidden = !!state.hidden;
    hint.textContent = state.note ?? action.note ?? '';
  };
  paints.buttons.push(paint);
  paints.locked.push(paint);
  return [button, hint];
}

function drawBlock(form, block, paints, flushes, view) {
  const part = (name, node, paint) => { paints[name].push(() => paint(node)); return node; };
  switch (block.block) {
    case 'fields': {
      const fields = block.fields.map((field) => drawField(form, field, paints, flushes));
      const set = h('fieldset', { class: 'plw-group', style: block.columns ? `--columns:${block.columns}` : null },
        block.legend ? h('legend', {}, block.legend) : null,
        block.hint ? h('p', { class: 'plw-lead' }, block.hint) : null, h('div', { class: 'plw-grid' }, fields));
      return set;
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
      const buttons = block.actions.map((action) => drawButton(form, action, paints, flushes, view));
      // The last action loses nothing: it has the focus, and Escape means it.
      const safe = buttons[buttons.length - 1][0];
      let before = null;
      const onkeydown = (event) => { if (event.key === 'Escape') safe.click(); };
      return part('question', h('div', {
        class: 'plw-question', role: 'alertdialog', 'aria-label': 'Please confirm', 'aria-describedby': id, onkeydown,
      }, icon('alert'), h('div', {}, text, h('div', { class: 'plw-actions' }, buttons))), (node) => {
        const question = form.get('question') || '', focused = document.activeElement;
        const appears = question && node.hidden, inside = node.contains(focused);
        text.textContent = question;
        node.hidden = !question;
        // Only where the person pressed Delete, and not out of a field they have gone on to.
        if (appears && view.id === pressed && node.isConnected && !focused?.matches('input, select, textarea')) {
          before = focused;
          safe.focus();
        } else if (!question && inside) before?.focus();
      });
    }
    case 'steps':
      return part('steps', h('ol', { class: 'plw-steps' }), (node) => {
        const steps = form.get('steps');
        node.hidden = !steps.length;
        node.replaceChildren(...steps.map((step) => h('li', { 'data-state': step.state },
          icon(STEP[step.state][0]), h('span', { class: 'plw-step' }, step.text, h('span', { class: 'plw-sr' }, `: ${STEP[step.state][1]}`)),
          step.total && step.state === 'working' ? h('progress', { max: step.total, value: String(step.done), 'aria-label': step.text }) : null,
          h('span', { class: 'plw-detail' }, step.detail || ''))));
      });
    case 'card':
      return part('card', h('div', { class: 'plw-card-place', 'aria-live': 'assertive' }), (node) => {
        const card = form.get('card');
        if (!card.what) { node.replaceChildren(); return; }
        node.replaceChildren(h('div', { class: 'plw-card', 'data-tone': card.tone },
          icon(card.tone === 'info' ? 'info' : 'alert'),
          h('div', {}, h('p', { class: 'plw-card-what' }, card.what), card.why ? h('p', {}, card.why) : null,
            card.next_step ? h('p', { class: 'plw-card-next' }, card.next_step) : null,
            card.details ? h('details', {}, h('summary', {}, 'Details'), h('pre', { tabindex: '0' }, card.details)) : null)));
      });
    case 'table':
      return part('table', h('div', { class: 'plw-table' }), (node) => {
        const table = form.get('table');
        node.hidden = !table.rows;
        if (!table.rows) { node.replaceChildren(); return; }
        node.replaceChildren(h('table', {}, h('caption', {}, table.caption),
          h('thead', {}, h('tr', {}, table.columns.map((name) => h('th', { scope: 'col' }, name)))),
          h('tbody', {}, table.rows.map((row) => h('tr', { 'data-tone': row.tone },
            row.cells.map((cell, i) => h('td', { 'data-label': table.columns[i] },
              i ? [].concat(cell).map((line) => h('div', {}, line)) : h('span', { class: 'plw-tag' }, cell))))))));
      });
    case 'facts':
      return part('facts', h('dl', { class: 'plw-facts' }), (node) => {
        const facts = form.get('facts');
        node.hidden = !facts.length;
        node.replaceChildren(...facts.map(([term, value, fraction]) => h('div', {}, h('dt', {}, term), h('dd', {}, value,
          fraction === undefined ? null : h('span', { class: 'plw-bar', 'aria-hidden': 'true', style: `--part:${Math.min(1, fraction)}` })))));
      });
    case 'picture': {
      let url = '', asked = null;
      const image = h('img', { class: 'plw-picture' });
      const empty = h('div', { class: 'plw-empty' }, icon('chart'), h('p', {}, block.empty));
      form.on('msg:custom', (content, buffers) => {
        if (content.type !== 'picture' || !image.isConnected) return;
        if (url) URL.revokeObjectURL(url);
        image.src = url = URL.createObjectURL(new Blob(buffers, { type: 'image/png' }));
      }, view);
      return part('picture', h('div', {}, image, empty), () => {
        const picture = form.get('picture');
        image.hidden = !picture.alt;
        empty.hidden = !!picture.alt;
        if (picture.alt && asked !== picture.revision) {
          asked = picture.revision;
          image.alt = picture.alt;
          image.width = picture.width;
          form.send({ type: 'picture' });
        }
      });
    }
    default:
      return h('p', { class: 'plw-lead' }, block.text || '');
  }
}

function save(content, buffers) {
  const url = URL.createObjectURL(new Blob(buffers, { type: content.mime }));
  const link = h('a', { href: url, download: content.name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function drawForm(form, number, view) {
  const parts = ['fields', 'buttons', 'locked', 'steps', 'card', 'table', 'facts', 'picture', 'question', 'standing'];
  const paints = Object.fromEntries(parts.map((name) => [name, []]));
  const flushes = [], heading = `plw-${++count}`;
  const mark = h('span', { class: 'plw-mark', 'aria-hidden': 'true' });
  const status = h('p', { class: 'plw-status', role: 'status' });
  const section = h('section', { class: 'plw-section', 'aria-labelledby': heading },
    h('div', { class: 'plw-rail' }, mark),
    h('div', { class: 'plw-panel' },
      h('header', {}, icon(form.get('icon')),
        h('div', {}, h('h3', { id: heading }, number ? h('span', { class: 'plw-sr' }, `Step ${number} `) : null, form.get('title')),
          h('p', { class: 'plw-lead' }, form.get('purpose'))), status),
      form.get('blocks').map((block) => drawBlock(form, block, paints, flushes, view))));
  paints.standing.push(() => {
    const [name, word] = STANDING[form.get('standing')] || STANDING.waiting;
    section.dataset.standing = form.get('standing');
    mark.replaceChildren(form.get('standing') === 'done' ? icon('check') : number ? String(number) : icon(form.get('icon')));
    const note = form.get('note');
    status.replaceChildren(...(name ? [icon(name)] : []), h('span', { class: 'plw-sr' }, `${word}: `), h('span', {}, note || word));
  });
  form.on('change:note', () => form.trigger('change:standing'), view);
  for (const name of parts) {
    const paint = () => (view.held ? view.waiting.add(paint) : paints[name].forEach((each) => each()));
    form.on(`change:${name}`, paint, view);
    paint();
  }
  form.on('msg:custom', (content, buffers) => {
    if (content.type === 'file' && content.view === view.id) save(content, buffers);
  }, view);
  return section;
}

async function render({ model, el }) {
  const view = { id: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()), held: false, waiting: new Set() };
  const body = h('div', { class: 'plw-body' });
  const silent = h('p', { class: 'plw-silent', role: 'status' });
  const title = model.get('title');
  const root = h('div', { class: 'plw', 'data-lm-suppress-shortcuts': 'true' },
    title ? h('header', { class: 'plw-head' }, h('h2', {}, title), h('p', {}, model.get('lead'))) : null, silent, body);
  for (const name of ['keydown', 'keyup', 'keypress']) root.addEventListener(name, (event) => event.stopPropagation());
  // A press of the mouse first leaves the field that had the focus. Were its answer drawn at once, what is pressed might
  // move away from under the pointer before the button is released, and the click would be lost.
  const hold = () => { view.held = true; };
  const release = () => setTimeout(() => {
    view.held = false;
    const paints = [...view.waiting];
    view.waiting.clear();
    paints.forEach((paint) => paint());
  });
  root.addEventListener('pointerdown', hold);
  for (const name of ['pointerup', 'pointercancel']) window.addEventListener(name, release);
  el.append(root);
  let late;
  const complain = () => {
    silent.textContent = 'The kernel does not answer. It may be busy; if it was restarted, run this cell again.';
  };
  const ask = () => {
    clearTimeout(late);
    late = setTimeout(complain, PATIENCE_MS);
    try { model.send({ type: 'hello' }); } catch { complain(); }
  };
  const welcome = (content) => { if (content.type === 'welcome') { clearTimeout(late); silent.textContent = ''; } };
  model.on('msg:custom', welcome);
  root.addEventListener('click', (event) => { if (event.target.closest('button')) ask(); });
  const forms = await Promise.all(model.get('forms').map((ref) => model.widget_manager.get_model(ref.slice('IPY_MODEL_'.length))));
  body.append(...forms.map((form, i) => drawForm(form, title ? i + 1 : 0, view)));
  ask();
  return () => {
    clearTimeout(late);
    model.off('msg:custom', welcome);
    for (const name of ['pointerup', 'pointercancel']) window.removeEventListener(name, release);
    forms.forEach((form) => form.off(null, null, view));
    root.querySelectorAll('input[type=password]').forEach((input) => { input.value = ''; });
  };
}
export default { render };
