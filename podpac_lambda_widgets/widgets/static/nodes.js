// The node form: the nodes of the pipeline, and the fields of the one that is selected.
const NODE_KIND = { name: 'node:kind', label: 'Add a node', help: '', kind: 'select', span: 6, narrow: 12 };
const NODE_NAME = { name: 'node:name', label: 'Name of this node', help: '', kind: 'text', span: 6, narrow: 12 };

// Puts the focus back where it was, after what had it was drawn anew.
function keepFocus(node, draw) {
  const at = node.contains(document.activeElement) ? document.activeElement.closest('[data-at]')?.dataset.at : null;
  draw();
  if (at) node.querySelector(`[data-at="${CSS.escape(at)}"]`)?.querySelector('input, select, textarea, button')?.focus({ preventScroll: true });
}

function drawNodes(form, block, paints, flushes) {
  const said = h('span', { class: 'plw-folded-said' }), list = h('ol', { class: 'plw-nodes', 'aria-label': 'Nodes of the pipeline' });
  const remark = h('p', { class: 'plw-lead' }), help = h('p', { class: 'plw-lead' }), grid = h('div', { class: 'plw-grid' });
  const more = h('div', { class: 'plw-grid' });
  const common = h('details', { class: 'plw-remark' }, h('summary', {}, 'Attributes that all nodes have'), more);
  const unavailable = h('p', { class: 'plw-help' });
  let own = null, ownFlushes = [], drawn = '';

  const row = (node, selected) => h('li', { 'data-at': `select ${node.name}` },
    h('button', {
      type: 'button', class: 'plw-node', 'aria-current': node.name === selected ? 'true' : null,
      onclick: () => form.send({ type: 'node', name: 'select', key: node.name }),
    }, h('span', { class: 'plw-node-name' }, node.name),
    node.kind === node.name ? null : h('span', {}, node.kind), node.sources ? h('span', {}, `of ${node.sources}`) : null,
    node.output ? h('span', { class: 'plw-node-output' }, 'output') : null),
    h('button', {
      type: 'button', class: 'plw-button plw-icon-button', 'data-tone': 'quiet', 'aria-label': `Remove ${node.name}`,
      onclick: () => form.send({ type: 'node', name: 'remove', key: node.name }),
    }, icon('trash')));

  const drawFields = (state) => {
    own = { fields: [], buttons: [], locked: [] };
    ownFlushes = [];
    for (const [box, fields] of [[grid, state.fields], [more, state.more]]) {
      box.replaceChildren(...(fields || []).map((field) => {
        const node = drawField(form, field, own, ownFlushes);
        node.dataset.at = field.name;
        return node;
      }));
    }
  };
  const fixed = { fields: [], buttons: [], locked: [] };
  const kind = drawField(form, NODE_KIND, fixed, flushes), name = drawField(form, NODE_NAME, fixed, flushes);
  const details = h('details', { class: 'plw-folded' },
    h('summary', {}, h('span', { class: 'plw-folded-label' }, 'Nodes'), said),
    h('div', { class: 'plw-folded-body plw-nodes-body' }, list, remark, h('div', { class: 'plw-grid' }, kind, name), help, grid, common, unavailable));

  paints.node_form.push(() => keepFocus(details, () => {
    const state = unpack(form, 'node_form'), nodes = state.nodes || [];
    said.textContent = nodes.length ? nodes.map((node) => node.name).join(', ') : state.said || '';
    list.replaceChildren(...nodes.map((node) => row(node, state.selected)));
    remark.textContent = state.said || '';
    remark.hidden = !state.said;
    help.textContent = state.help || '';
    help.hidden = !state.help;
    name.hidden = !state.selected;
    common.hidden = !(state.more || []).length;
    unavailable.textContent = state.unavailable ? `Not available in this function: ${state.unavailable}.` : '';
    const now = JSON.stringify([state.selected, state.fields, state.more]);
    if (now !== drawn) {
      drawn = now;
      drawFields(state);
    }
    own?.fields.forEach((paint) => paint());
  }));
  paints.fields.push(() => [...fixed.fields, ...(own?.fields || [])].forEach((paint) => paint()));
  flushes.push(() => ownFlushes.forEach((flush) => flush()));
  return details;
}
BLOCKS.nodes = drawNodes;
