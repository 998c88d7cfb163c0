// What a run will take, and the table of runs.
const RUN_ICON = { waiting: 'wait', running: 'busy', done: 'check', failed: 'alert', cancelled: 'stop' };
const RUN_COLUMNS = ['Run', 'State', 'Points', 'Time', 'Cost', 'Memory'];

function drawOutlook(form, block, paints) {
  const node = h('p', { class: 'plw-outlook', role: 'status' });
  paints.outlook.push(() => {
    const { tone, text } = unpack(form, 'outlook');
    node.hidden = !text;
    node.dataset.tone = tone || '';
    if (node.textContent !== (text || '')) node.replaceChildren(icon(tone === 'warn' ? 'alert' : 'info'), h('span', {}, text || ''));
  });
  return node;
}
BLOCKS.outlook = drawOutlook;

function drawRuns(form, block, paints, flushes, view) {
  const node = h('div', { class: 'plw-runs' });
  const open = new Set(), lines = new Map();
  let ticking = 0, since = 0;

  const press = (name, key) => () => { pressed = view.id; form.send({ type: 'run', name, key, view: view.id }); };
  const button = (text, title, name, key) => h('span', { 'data-at': `${name} ${key}` }, h('button', {
    type: 'button', class: 'plw-button', 'data-tone': 'chip', 'aria-label': `${text} ${title}`, onclick: press(name, key),
  }, text));
  const toggle = (row) => {
    if (open.delete(row.key)) { paint(); return; }
    open.add(row.key);
    press('read_log', row.key)();
    paint();
  };
  const cell = (label, ...content) => h('td', { 'data-label': label }, content.filter((x) => x !== undefined && x !== '').length ? content : '–');
  const small = (text) => h('div', { class: 'plw-run-more' }, text);
  const billed = (row) => (row.billed ? small(`billed ${row.billed}`) : '');
  const cost = (text) => {
    const [usd, times] = (text || '').split(' for ');
    return [usd, times ? small(`for ${times}`) : ''];
  };
  const drawRow = (row) => {
    const called = `${row.title}, ${new Date(row.started).toLocaleTimeString()}`;
    const running = row.state === 'running';
    return [h('tr', { 'data-state': row.state },
      h('td', { class: 'plw-run-what' }, h('div', { class: 'plw-run-title' }, row.title),
        h('div', { class: 'plw-run-when' }, `${new Date(row.started).toLocaleTimeString()} · ${row.way}`)),
      h('td', { class: 'plw-run-state' }, h('div', {}, icon(RUN_ICON[row.state] || 'wait'), h('span', {}, row.word)),
        row.why ? h('div', { class: 'plw-run-why' }, row.why) : null),
      cell('Points', row.points), cell('Time', typeof row.elapsed !== 'number' ? '' : h('span', running ? { 'data-elapsed': String(row.elapsed) } : {}, `${row.elapsed} s`), billed(row)),
      cell('Cost', ...cost(row.cost)), cell('Memory', row.memory),
      h('td', { class: 'plw-run-actions' }, h('div', {},
        row.cancel ? button('Cancel', called, 'cancel', row.key) : null,
        row.show ? button('Show', called, 'show_result', row.key) : null,
        row.again ? button(row.left_off ? 'Go on' : 'Run again', called, 'again', row.key) : null,
        row.log ? h('span', { 'data-at': `log ${row.key}` }, h('button', {
          type: 'button', class: 'plw-button', 'data-tone': 'chip', 'aria-expanded': String(open.has(row.key)),
          'aria-label': `Log of ${called}`, onclick: () => toggle(row),
        }, 'Log')) : null))),
    open.has(row.key) ? h('tr', { class: 'plw-run-log' }, h('td', { colspan: String(RUN_COLUMNS.length + 1) },
      h('pre', { tabindex: '0', role: 'group', 'aria-label': `Log of ${called}` }, (lines.get(row.key) || ['Reading the log …']).join('\n')))) : null];
  };
  const tick = () => {
    const going = node.isConnected ? [...node.querySelectorAll('[data-elapsed]')] : [];
    const passed = (performance.now() - since) / 1000;
    going.forEach((each) => { each.textContent = `${(Number(each.dataset.elapsed) + passed).toFixed(1)} s`; });
    ticking = going.length ? setTimeout(tick, 500) : 0;
  };
  const paint = () => keepFocus(node, () => {
    const { rows, remark } = unpack(form, 'runs');
    if (!(rows || []).length) {
      node.replaceChildren(h('p', { class: 'plw-lead' }, remark || 'No run yet. The runs of this function are listed here, whoever began them.'));
      return;
    }
    node.replaceChildren(h('div', { class: 'plw-table' }, h('table', {}, h('caption', {}, 'Runs'),
      h('thead', {}, h('tr', {}, RUN_COLUMNS.map((name) => h('th', { scope: 'col' }, name)), h('th', { scope: 'col' }, h('span', { class: 'plw-sr' }, 'Actions')))),
      h('tbody', {}, rows.map(drawRow)))), remark ? h('p', { class: 'plw-remark' }, remark) : '');
    since = performance.now();
    if (!ticking) ticking = setTimeout(tick, 500);
  });
  form.on('msg:custom', (content) => {
    if (content.type !== 'log') return;
    lines.set(content.key, content.lines);
    paint();
  }, view);
  paints.runs.push(paint);
  return node;
}
BLOCKS.runs = drawRuns;
