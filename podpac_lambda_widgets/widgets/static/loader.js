// Fetches the script and the stylesheet of the page from the kernel, so that no saved notebook has to hold them. What is
// here is in every one of those: the way back to a kernel, for a page that is opened without, and nothing else.
const BUSY = 'The kernel does not answer. It may be busy; if it was restarted, run this cell again.';
const LOST = 'The kernel was restarted: nothing here is connected any more.';
const NONE = 'There is no kernel behind this page. Open the notebook and run its cell.';

function ask(model, note) {
  return new Promise((resolve) => {
    const late = setTimeout(() => { note.textContent = BUSY; }, 5000);
    const receive = (content, buffers) => {
      if (content.type !== 'assets') return;
      clearTimeout(late);
      model.off('msg:custom', receive);
      resolve(buffers.map((buffer) => new TextDecoder().decode(buffer)));
    };
    model.on('msg:custom', receive);
    model.send({ type: 'assets' });
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

const formsOf = (model) => Promise.all(model.get('forms').map((ref) => model.widget_manager.get_model(ref.slice(10))));

// Runs our own text in the kernel; what stands in the notebook's state goes into it as data only.
function remake(kernel, revival) {
  const data = ['kind', 'variable', 'given'].map((name) => JSON.stringify(String(revival[name] ?? '')));
  const code = `__import__("podpac_lambda_widgets.studio.revival", fromlist=["revive"]).revive(globals(), ${data})`;
  return new Promise((resolve, reject) => {
    const future = kernel.requestExecute({ code, store_history: false });
    future.onIOPub = ({ content }) => {
      const view = content.data?.['application/vnd.jupyter.widget-view+json'];
      if (view) resolve(view.model_id);
      if (content.evalue) reject(new Error(content.evalue));
    };
    future.done.catch(reject);
  });
}

async function render({ model, el, before }) {
  const manager = model.widget_manager, kernel = manager?.kernel;
  const forms = await formsOf(model), note = document.createElement('p');
  const lost = kernel ? LOST : NONE;
  let end;
  const offer = (place, draw, failure) => {
    const can = kernel && model.get('revival').kind;
    place.textContent = failure || can || !kernel ? `${failure ?? lost} ` : `${lost} Run the cells above, then this one.`;
    if (can) place.append(draw('Reconnect', async () => {
      place.textContent = 'Reconnecting …';
      // All views of the page come along.
      remake(kernel, model.get('revival')).then((id) => forms[0].trigger('plw:revived', id), (error) => offer(place, draw, `Reconnecting failed: ${error.message}.`));
    }));
  };
  forms[0].once('plw:revived', async (id) => {
    end?.();
    el.replaceChildren();
    end = await render({ model: await manager.get_model(id), el, before: forms });
  });
  el.append(note);
  note.setAttribute('role', 'status');
  if (forms[0].comm_live === false) {
    offer(note, (text, onclick) => Object.assign(document.createElement('button'), { textContent: text, onclick }));
  } else {
    const [page, style] = await load(model, note);
    const sheet = document.createElement('style');
    sheet.textContent = style;
    note.replaceWith(sheet);
    end = await page.render({ model, el, forms, kernel, offer, before });
  }
  return () => end?.();
}
export default { render };
