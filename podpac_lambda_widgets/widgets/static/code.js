// Text to take away: a policy, or what a form does as Python.

// Where the page may not write to the clipboard (it is neither local nor HTTPS), the text is marked for the person.
async function copyText(text, pre, said) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(pre);
    done = document.execCommand('copy');
  }
  said.textContent = done ? 'Copied' : 'Marked: press Ctrl+C';
}

function drawCopy(text, what) {
  const pre = h('pre', { tabindex: '0' }, text), said = h('span', { class: 'plw-hint', role: 'status' });
  const button = h('button', { type: 'button', class: 'plw-button', 'data-tone': 'chip', 'aria-label': what ? `Copy ${what}` : null, onclick: () => copyText(text, pre, said) }, 'Copy');
  return [h('div', { class: 'plw-actions' }, button, said), pre];
}

// The button that copies what a form (or the page) does as code, and the place that shows it. What is shown is asked for
// again when one of the forms changes: it never shows what is no longer so.
function drawCode(model, forms, view, flushes, label) {
  const pre = h('pre', { tabindex: '0', role: 'group', 'aria-label': `${label} as code` }), said = h('span', { class: 'plw-hint', role: 'status' });
  const place = h('div', { class: 'plw-code' }, pre);
  let copying = false, later;
  place.hidden = true;
  const ask = () => { flushes.forEach((flush) => flush()); model.send({ type: 'code', view: view.id }); };
  const button = h('button', {
    type: 'button', class: 'plw-button plw-code-button', 'data-tone': 'quiet', 'aria-expanded': 'false', onclick: () => {
      place.hidden = !place.hidden;
      button.setAttribute('aria-expanded', String(!place.hidden));
      said.textContent = '';
      copying = !place.hidden;
      if (copying) ask();
    },
  }, icon('code'), h('span', {}, 'Copy as code'));
  const receive = (content) => {
    if (content.type !== 'code' || content.view !== view.id) return;
    pre.textContent = content.error || content.code;
    pre.dataset.tone = content.error ? 'bad' : '';
    if (content.error) said.textContent = 'There is something to correct first';
    else if (copying) copyText(content.code, pre, said);
    else said.textContent = '';
    copying = false;
  };
  model.on('msg:custom', receive, view);
  const follow = () => {
    if (place.hidden) return;
    clearTimeout(later);
    later = setTimeout(() => { if (!place.hidden && place.isConnected) model.send({ type: 'code', view: view.id }); }, 200);
  };
  for (const form of forms) form.on('change:fields change:standing change:note', follow, view);
  return { button: [said, button], place, receive };
}
