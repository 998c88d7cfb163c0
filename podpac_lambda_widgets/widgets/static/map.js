// A map on which a region is drawn: dragged with the pointer, moved and resized with the arrow keys.
const MAP_HINT = 'Drag to draw a region, drag it to move it, or its corners to resize it. With the keyboard: arrow keys move it, Shift and arrow keys resize it.';
const CORNERS = ['nw', 'ne', 'sw', 'se'];
const GRAB_PX = 12;
const MAP_SETTLE_MS = 250;
const TILE_MS = 5000;
const FIRST_REGION = [-30, -20, 30, 20];

function svg(tag, props, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(props || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function graticule() {
  const lines = [];
  for (let lon = -180; lon <= 540; lon += 30) lines.push(`M${lon} -90V90`);
  for (let lat = -60; lat <= 60; lat += 30) lines.push(`M-180 ${lat}H540`);
  return svg('path', { class: 'plw-map-lines', d: lines.join('') });
}

function drawMapLand(group, land) {
  // North is up: y grows downwards.
  const scale = `scale(${land.unit} ${-land.unit})`;
  for (const east of [0, 360]) {
    group.append(svg('g', { transform: `translate(${east} 0) ${scale}` },
      svg('path', { class: 'plw-map-land', d: land.land + land.cap }), svg('path', { class: 'plw-map-coast', d: land.land })));
  }
}

// The region as the pointer or the keys have made it: inside the latitudes, at most once around the Earth.
function keepOnEarth([west, south, east, north]) {
  const turns = 360 * Math.floor((west + 180) / 360);
  const clean = (x) => Math.round(x * 1e6) / 1e6;
  return [west - turns, Math.max(-90, south), Math.min(east, west + 360) - turns, Math.min(90, north)].map(clean);
}

function moved([west, south, east, north], right, up) {
  const by = Math.max(-90 - south, Math.min(90 - north, up));
  return [west + right, south + by, east + right, north + by];
}

function stretched([west, south, east, north], corner, lon, lat) {
  if (corner.includes('w')) west = Math.min(lon, east); else east = Math.max(lon, west);
  if (corner.includes('s')) south = Math.min(lat, north); else north = Math.max(lat, south);
  return [west, south, east, north];
}

function keyStep([west, south, east, north]) {
  const span = Math.max(east - west, north - south);
  return span >= 60 ? 5 : span >= 10 ? 1 : span >= 1 ? 0.1 : 0.01;
}

// Whether a tile can be had by this browser, in reasonable time.
function hasTiles(address) {
  return new Promise((resolve) => {
    const tile = new Image(), late = setTimeout(() => resolve(false), TILE_MS);
    tile.onload = tile.onerror = () => { clearTimeout(late); resolve(tile.naturalWidth > 0); };
    tile.src = address;
  });
}

// The button for ipyleaflet's map, which the kernel makes, and its place. Nothing is asked of the tile server before.
function drawTiles(form, address, view, swap) {
  const place = h('div', { class: 'plw-map-frame' }), said = h('span', { class: 'plw-hint', role: 'status' });
  let child = null;
  const show = (shown) => {
    place.hidden = !shown;
    swap(shown);
    button.setAttribute('aria-pressed', String(shown));
  };
  const button = h('button', { type: 'button', class: 'plw-button', 'data-tone': 'chip', 'aria-pressed': 'false', onclick: async () => {
    said.textContent = '';
    if (child) { show(place.hidden); return; }
    said.textContent = 'Asking the tile server …';
    if (await hasTiles(address)) form.send({ type: 'tiles', view: view.id });
    else said.textContent = 'The tile server cannot be reached from here.';
  } }, 'Map with tiles');
  place.hidden = true;
  form.on('msg:custom', async (content) => {
    if (content.type !== 'tiles' || content.view !== view.id || child) return;
    const manager = view.page.widget_manager;
    child = await manager.create_view(await manager.get_model(content.model));
    place.append(child.el);
    said.textContent = '';
    show(true);
    // It draws itself when it is told that it is on the page; JupyterLab tells only what it has put there itself.
    child.processLuminoMessage?.({ type: 'after-attach' });
  }, view);
  return { place, said, button };
}

function drawMap(form, block, paints, flushes, view) {
  const id = `plw-${++count}`;
  const land = svg('g', {}), regions = svg('g', { class: 'plw-map-regions' });
  const picture = svg('svg', { class: 'plw-map-picture', 'aria-hidden': 'true' },
    svg('rect', { class: 'plw-map-sea', x: -180, y: -90, width: 720, height: 180 }), land, graticule(), regions);
  const frame = h('div', {
    class: 'plw-map-frame', tabindex: '0', role: 'application', 'aria-roledescription': 'map',
    'aria-label': 'Map of the region', 'aria-describedby': `${id}-hint`,
  });
  frame.append(picture);
  const said = h('span', { class: 'plw-map-said' }), status = h('span', { class: 'plw-sr', role: 'status' });
  const warned = h('p', { class: 'plw-note', 'data-tone': 'warn', role: 'status' });
  const turn = h('button', { type: 'button', class: 'plw-button', 'data-tone': 'chip', 'aria-pressed': 'false' }, 'Centre on 180°');
  let centre = 0, held = null, drag = null, timer = 0;

  const shown = () => held || (unpack(form, 'map').region || []);
  const degrees = (x) => `${String(x).replace('-', '−')}°`;
  const words = (r) => `West ${degrees(r[0])}, south ${degrees(r[1])}, east ${degrees(r[2] > 180 ? r[2] - 360 : r[2])}, north ${degrees(r[3])}`;
  const paint = () => {
    picture.setAttribute('viewBox', `${centre - 180} -90 360 180`);
    const region = shown();
    said.textContent = region.length ? words(region.map((x) => Math.round(x * 100) / 100)) : 'No region to draw';
    regions.replaceChildren(...(region.length ? [-360, 0, 360].map((by) => drawRegion(region, by)) : []));
  };
  const drawRegion = ([west, south, east, north], by) => svg('g', { transform: `translate(${by} 0)` },
    svg('rect', { class: 'plw-map-region', x: west, y: -north, width: east - west, height: north - south }),
    ...CORNERS.map((corner) => svg('circle', {
      class: 'plw-map-corner', r: 2.5, cx: corner.includes('w') ? west : east, cy: corner.includes('s') ? -south : -north,
    })));
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    if (!held) return;
    const region = held;
    status.textContent = words(region);
    form.send({ type: 'region', region });
  };
  const settle = () => { clearTimeout(timer); timer = setTimeout(send, MAP_SETTLE_MS); };

  const place = (event) => {
    const box = picture.getBoundingClientRect();
    const lon = centre - 180 + (event.clientX - box.left) / box.width * 360;
    const lat = 90 - (event.clientY - box.top) / box.height * 180;
    return { lon, lat: Math.max(-90, Math.min(90, lat)), perPx: 360 / box.width };
  };
  const grabbed = ({ lon, lat, perPx }) => {
    const region = shown(), near = GRAB_PX * perPx;
    if (!region.length) return null;
    for (const by of [0, -360, 360]) {
      const [west, south, east, north] = [region[0] + by, region[1], region[2] + by, region[3]];
      for (const corner of CORNERS) {
        const x = corner.includes('w') ? west : east, y = corner.includes('s') ? south : north;
        if (Math.hypot(lon - x, lat - y) <= near) return { corner, region: [west, south, east, north] };
      }
      // The whole Earth cannot be moved, and what is drawn on it begins a new region.
      if (lon > west && lon < east && lat > south && lat < north && east - west < 350) return { region: [west, south, east, north] };
    }
    return null;
  };
  picture.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    picture.setPointerCapture(event.pointerId);
    const from = place(event);
    drag = { from, before: held, ...(grabbed(from) || { fresh: true }) };
    frame.focus({ preventScroll: true });
    event.preventDefault();
  });
  picture.addEventListener('pointermove', (event) => {
    if (!drag) return;
    const { from } = drag, { lon, lat } = place(event), whole = Math.round;
    if (drag.fresh) {
      const [west, east] = [from.lon, lon].sort((a, b) => a - b).map(whole), [south, north] = [from.lat, lat].sort((a, b) => a - b).map(whole);
      if (west === east || south === north) return;
      held = keepOnEarth([west, south, east, north]);
    } else if (drag.corner) {
      held = keepOnEarth(stretched(drag.region, drag.corner, whole(lon), whole(lat)));
    } else {
      held = keepOnEarth(moved(drag.region, whole(lon - from.lon), whole(lat - from.lat)));
    }
    drag.went = true;
    paint();
  });
  const finish = (kept) => {
    if (!drag) return;
    const went = drag.went;
    if (!kept) held = drag.before;
    drag = null;
    paint();
    if (kept && went) send();
  };
  picture.addEventListener('pointerup', () => finish(true));
  picture.addEventListener('pointercancel', () => finish(false));
  frame.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { finish(false); return; }
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const now = shown();
    if (!now.length) held = FIRST_REGION;
    else {
      const step = keyStep(now), [right, up] = way.map((x) => x * step);
      held = keepOnEarth(event.shiftKey ? stretched(now, 'ne', now[2] + right, Math.min(90, now[3] + up)) : moved(now, right, up));
    }
    paint();
    settle();
  });
  frame.addEventListener('blur', () => { if (timer) send(); });
  turn.addEventListener('click', () => {
    centre = centre ? 0 : 180;
    turn.setAttribute('aria-pressed', String(!!centre));
    paint();
  });
  flushes.push(() => { if (timer) send(); });
  paints.map.push(() => {
    // What the kernel says replaces what was drawn here, unless the person is at it.
    if (!drag && !timer) held = null;
    paint();
    const warning = unpack(form, 'map').warning || '';
    if (warned.textContent !== warning) warned.replaceChildren(...(warning ? [icon('alert'), h('span', {}, warning)] : []));
  });
  askLand(view).then((found) => drawMapLand(land, found));
  const tiles = block.tile ? drawTiles(form, block.tile, view, (shown) => { frame.hidden = turn.hidden = shown; }) : {};
  return h('div', { class: 'plw-map' }, frame, tiles.place,
    h('div', { class: 'plw-map-foot' }, said, h('div', { class: 'plw-actions' }, tiles.said, turn, tiles.button)), warned,
    h('div', { class: 'plw-sr', id: `${id}-hint` }, MAP_HINT), status);
}
BLOCKS.map = drawMap;
