// Fields and buttons. Text is only ever set as text, never as HTML.
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
  code: 'm8.4 6.6 1.4 1.4L5.8 12l4 4-1.4 1.4L3 12l5.4-5.4Zm7.2 0L21 12l-5.4 5.4-1.4-1.4 4-4-4-4 1.4-1.4Z',
  wait: 'M6 10.5h2.5v3H6zm4.8 0h2.4v3h-2.4zm4.7 0H18v3h-2.5z',
  busy: 'M12 3a9 9 0 1 0 9 9h-2.4A6.6 6.6 0 1 1 12 5.4V3Z',
};
let count = 0;

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

// What holds more than one thing comes as one text, which takes less room in a saved notebook; read once for each text.
const unpacked = new WeakMap();

function unpack(form, name) {
  const text = form.get(name) || '{}', known = unpacked.get(form) || {};
  if (known[name]?.text !== text) known[name] = { text, value: JSON.parse(text) };
  unpacked.set(form, known);
  return known[name].value;
}

// What the fields of a form offer comes by messages, and is in no saved notebook: form -> field -> choices.
const offered = new WeakMap();

function keepOffers(forms, view) {
  for (const form of forms) {
    form.on('msg:custom', (content) => {
      if (content.type !== 'choices') return;
      addOffers(form, content.choices);
      form.trigger('change:fields');
    }, view);
  }
}
const addOffers = (form, choices) => offered.set(form, { ...offered.get(form), ...choices });

// Each of these draws one kind of control: what a person sets, its label, and what shows the field's state in it.
function drawChecks(form, field, id) {
  const list = h('div', { class: 'plw-checks' });
  const always = field.always || [];
  let drawn;
  const commit = () => form.send({
    type: 'input', name: field.name, value: [...list.querySelectorAll('input:checked')].map((box) => box.value),
  });
  const paint = (state) => {
    const now = `${state.revision} ${state.choices.length}`;
    if (now === drawn) return;
    drawn = now;
    const known = [...list.querySelectorAll('input')];
    state.choices.forEach(([value, text], i) => {
      let box = known[i];
      if (!box) {
        box = h('input', { id: `${id}-${i}`, type: 'checkbox', value, disabled: always.includes(value), onchange: commit });
        list.append(h('div', { class: 'plw-check' }, box, h('label', { for: `${id}-${i}` }, text)));
      }
      box.checked = always.includes(value) || (state.value || []).includes(value);
    });
  };
  const label = h('p', { id: `${id}-label`, class: 'plw-label' }, field.label);
  return { nodes: [label, list], role: 'group', labelledby: `${id}-label`, named: list, paint };
}

function drawCheck(form, field, id) {
  const box = h('input', { id, type: 'checkbox', 'aria-describedby': `${id}-help ${id}-note ${id}-error` });
  box.addEventListener('change', () => form.send({ type: 'input', name: field.name, value: box.checked }));
  const node = h('div', { class: 'plw-check' }, box, h('label', { for: id }, field.label));
  return { nodes: [node], named: box, paint: (state) => { box.checked = state.value === true; box.disabled = !!state.disabled; } };
}

function drawInput(form, field, id, flushes) {
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
  const list = h('datalist', { id: `${id}-list` });
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
  const paint = (state) => {
    if (field.kind === 'select') {
      const key = JSON.stringify(state.choices);
      if (input.dataset.choices !== key) {
        input.dataset.choices = key;
        input.replaceChildren(...state.choices.map(([value, text]) => h('option', { value: value || null }, text)));
        [...input.options].forEach((option, i) => { option.value = state.choices[i][0]; });
        [shown, revision] = [input.value, -1];
      }
    }
    // A text may be any; those that were found are offered.
    if (state.choices.length && input.tagName === 'INPUT') {
      const key = JSON.stringify(state.choices);
      if (list.dataset.choices !== key) {
        list.dataset.choices = key;
        list.replaceChildren(...state.choices.map(([value, text]) => h('option', { value }, text)));
        input.setAttribute('list', list.id);
      }
    }
    if (!secret && state.revision !== revision) {
      const typing = document.activeElement === input && input.value !== shown;
      if (!typing) shown = input.value = state.value ?? '';
      revision = state.revision;
    }
    input.disabled = !!state.disabled;
    input.placeholder = state.placeholder || field.placeholder || '';
  };
  return { nodes: [h('label', { for: id }, field.label), input, list], named: input, paint };
}

function drawField(form, field, paints, flushes) {
  const id = `plw-${++count}`;
  const draw = { checks: drawChecks, check: drawCheck }[field.kind] || drawInput;
  const control = draw(form, field, id, flushes);
  const note = h('p', { id: `${id}-note`, class: 'plw-note' });
  const error = h('p', { id: `${id}-error`, class: 'plw-error', role: 'alert' });
  const box = h('div', {
    class: 'plw-field', style: `--span:${field.span};--narrow:${field.narrow || 12}`, role: control.role,
    'aria-labelledby': control.labelledby,
  }, control.nodes, h('p', { id: `${id}-help`, class: 'plw-help' }, field.help), note, error);
  paints.fields.push(() => {
    const state = { choices: offered.get(form)?.[field.name] || [], ...unpack(form, 'fields')[field.name] };
    control.paint(state);
    box.hidden = !!state.hidden;
    const said = state.warning || state.note;
    note.dataset.tone = state.warning ? 'warn' : 'good';
    if (note.textContent !== (said || '')) note.replaceChildren(...(said ? [icon(state.warning ? 'alert' : 'check'), h('span', {}, said)] : []));
    control.named.setAttribute('aria-invalid', state.error ? 'true' : 'false');
    const text = state.error ? [icon('alert'), h('span', {}, state.error)] : [];
    if (error.textContent !== (state.error || '')) error.replaceChildren(...text);
  });
  return box;
}

// The view in which a button was pressed last: a notebook may show the same forms several times.
let pressed = '';

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
    const state = unpack(form, 'buttons')[action.name] || {};
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
