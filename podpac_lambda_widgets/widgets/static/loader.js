// Fetches the script and the stylesheet of the page from the kernel, so that no saved notebook has to hold them.
const PATIENCE_MS = 5000;
const SILENT = 'The kernel does not answer. It may be busy; if it was restarted, run this cell again.';

function ask(model, note) {
  return new Promise((resolve) => {
    const late = setTimeout(() => { note.textContent = SILENT; }, PATIENCE_MS);
    const receive = (content, buffers) => {
      if (content.type !== 'assets') return;
      clearTimeout(late);
      model.off('msg:custom', receive);
      resolve(buffers.map((buffer) => new TextDecoder().decode(buffer)));
    };
    model.on('msg:custom', receive);
    try { model.send({ type: 'assets' }); } catch { note.textContent = SILENT; }
  });
}

async function load(model, note) {
  // Pages of one notebook share them.
  const known = (globalThis.podpacLambdaWidgets ??= new Map());
  const digest = model.get('assets');
  const answer = known.has(digest) ? [] : await ask(model, note);
  // Several pages may have asked: one script only, for it counts the names it gives.
  if (!known.has(digest)) {
    const url = URL.createObjectURL(new Blob([answer[0]], { type: 'text/javascript' }));
    known.set(digest, import(url).then((page) => [page.default, answer[1]]));
  }
  return known.get(digest);
}

async function render(context) {
  const note = document.createElement('p');
  note.setAttribute('role', 'status');
  context.el.append(note);
  const [page, style] = await load(context.model, note);
  const sheet = document.createElement('style');
  sheet.textContent = style;
  note.replaceWith(sheet);
  return page.render(context);
}
export default { render };
