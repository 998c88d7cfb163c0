// Forms on a page: heads, standings, views, and whether a kernel is there.
const STANDING = { waiting: ['wait', 'Not yet'], ready: ['', 'Next'], working: ['busy', 'Working'], done: ['check', 'Done'], failed: ['alert', 'Needs attention'] };
const CONSTANT = ['comm', 'layout', 'tabbable', 'tooltip'];
const PATIENCE_MS = 5000;

function save(content, buffers) {
  const url = URL.createObjectURL(new Blob(buffers, { type: content.mime }));
  const link = h('a', { href: url, download: content.name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

// What forms are made of does not change; it is asked for, and in no saved notebook. With it comes what fields offer.
function askForms(model, forms) {
  return new Promise((resolve) => {
    const receive = (content) => {
      if (content.type !== 'forms') return;
      model.off('msg:custom', receive);
      forms.forEach((form, i) => addOffers(form, content.forms[i].choices));
      resolve(content.forms);
    };
    model.on('msg:custom', receive);
    model.send({ type: 'forms' });
  });
}

function drawForm(form, { title, purpose, icon: sign, blocks }, number, view) {
  // Every trait that is the form's own: what a block shows is painted again when its trait changes.
  const parts = form.keys().filter((name) => !name.startsWith('_') && !CONSTANT.includes(name));
  const paints = Object.fromEntries(parts.map((name) => [name, []]));
  const flushes = [], heading = `plw-${++count}`;
  const mark = h('span', { class: 'plw-mark', 'aria-hidden': 'true' });
  const status = h('p', { class: 'plw-status', role: 'status' });
  const section = h('section', { class: 'plw-section', 'aria-labelledby': heading },
    h('div', { class: 'plw-rail' }, mark),
    h('div', { class: 'plw-panel' },
      h('header', {}, icon(sign),
        h('div', {}, h('h3', { id: heading }, number ? h('span', { class: 'plw-sr' }, `Step ${number} `) : null, title),
          h('p', { class: 'plw-lead' }, purpose)), status),
      blocks.map((block) => drawBlock(form, block, paints, flushes, view))));
  const code = drawCode(form, [form], view, flushes, title);
  section.querySelector('.plw-panel').append(h('footer', { class: 'plw-foot' }, code.button), code.place);
  paints.standing.push(() => {
    const [name, word] = STANDING[form.get('standing')] || STANDING.waiting;
    section.dataset.standing = form.get('standing');
    mark.replaceChildren(form.get('standing') === 'done' ? icon('check') : number ? String(number) : icon(sign));
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

const GONE = ['restarting', 'autorestarting', 'terminating', 'dead'];

// Calls back when the kernel has gone, and what was connected with it; returns what ends that.
function watchKernel(form, kernel, lose) {
  const follow = (_, status) => { if (GONE.includes(status)) lose(); };
  const watch = () => { if (form.comm_live === false) lose(); };
  form.on('comm_live_update', watch);
  kernel?.statusChanged?.connect(follow);
  return () => { form.off('comm_live_update', watch); kernel?.statusChanged?.disconnect(follow); };
}

// After reconnecting, what was typed is typed again. What was connected or computed is not there, and is not said to be.
function retype(before, forms) {
  if (!before || before[0].plwRetyped) return;
  before[0].plwRetyped = true;
  forms.forEach((form, i) => {
    const now = unpack(form, 'fields');
    for (const [name, { value }] of Object.entries(unpack(before[i], 'fields'))) {
      if (name === 'confirmation' || !now[name] || JSON.stringify(value) === JSON.stringify(now[name].value)) continue;
      form.send({ type: 'input', name, value });
    }
  });
}

async function render({ model, el, forms, kernel, offer, before }) {
  const view = { id: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()), held: false, waiting: new Set(), timers: [], page: model };
  const body = h('div', { class: 'plw-body' });
  const silent = h('p', { class: 'plw-silent', role: 'status' });
  const title = model.get('title');
  const root = h('div', { class: 'plw', 'data-lm-suppress-shortcuts': 'true' }, silent, body);
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
    if (!body.inert) silent.textContent = 'The kernel does not answer. It may be busy; if it was restarted, run this cell again.';
  };
  const ask = () => {
    clearTimeout(late);
    late = setTimeout(complain, PATIENCE_MS);
    try { model.send({ type: 'hello' }); } catch { complain(); }
  };
  const welcome = (content) => { if (content.type === 'welcome') { clearTimeout(late); silent.textContent = ''; } };
  model.on('msg:custom', welcome);
  root.addEventListener('click', (event) => { if (event.target.closest('button')) ask(); });
  late = setTimeout(complain, PATIENCE_MS);
  keepOffers(forms, view);
  const made = await askForms(model, forms);
  const code = drawCode(model, forms, view, [], title);
  if (title) root.prepend(h('div', { class: 'plw-head' }, h('div', {}, h('h2', {}, title), h('p', {}, model.get('lead'))), h('div', { class: 'plw-actions' }, code.button), code.place));
  body.append(...forms.map((form, i) => drawForm(form, made[i], title ? i + 1 : 0, view)));
  ask();
  const unwatch = watchKernel(forms[0], kernel, () => {
    clearTimeout(late);
    if (body.inert) return;
    for (const part of root.children) part.inert = part !== silent;
    offer(silent, (text, onclick) => h('button', { type: 'button', class: 'plw-button', onclick }, text));
  });
  retype(before, forms);
  return () => {
    clearTimeout(late);
    view.timers.forEach(clearInterval);
    unwatch();
    model.off('msg:custom', welcome);
    model.off('msg:custom', code.receive);
    for (const name of ['pointerup', 'pointercancel']) window.removeEventListener(name, release);
    forms.forEach((form) => form.off(null, null, view));
    root.querySelectorAll('input[type=password]').forEach((input) => { input.value = ''; });
  };
}
export default { render };
