// A plane of values as pixels: a canvas, axes and a colour bar around it, the land over it.
const BAR_WIDTH = 14, BAR_ROOM = 108, LEFT = 72, BOTTOM = 46, TOP = 8, MOST_HEIGHT = 480;

function numbersOf(view, Kind) {
  // A buffer need not begin where the numbers could be read in place.
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function readPicture(content, buffers) {
  const data = { ...content };
  if (content.kind === 'raster' || content.kind === 'photo') {
    data.values = content.kind === 'photo' ? numbersOf(buffers[0], Uint32Array) : numbersOf(buffers[0], Float32Array);
    [data.xEdges, data.yEdges] = [numbersOf(buffers[1], Float64Array), numbersOf(buffers[2], Float64Array)];
    data.table = numbersOf(buffers[3], Uint8Array);
  } else if (content.kind === 'line') {
    data.line = readLine(content.line, buffers);
  }
  return data;
}

// Colours as the canvas stores them: opacity, blue, green, red in one number.
function packTable(table) {
  return Uint32Array.from({ length: 256 }, (_, i) => (255 << 24) | (table[3 * i + 2] << 16) | (table[3 * i + 1] << 8) | table[3 * i]);
}

function colourCells({ values, offset, scale, low, high, table }) {
  const colours = packTable(table), cells = new Uint32Array(values.length);
  // Halves: the difference of two large numbers may be too large for a number.
  const each = 128 / (high / 2 - low / 2), factor = scale * each, start = (offset - low) * each;
  for (let i = 0; i < cells.length; i += 1) {
    const value = values[i];
    if (value === value) {  // NaN is not itself: there is no value, and the pixel stays clear.
      const at = value * factor + start;
      cells[i] = colours[at < 0 ? 0 : at > 255 ? 255 : at | 0];
    }
  }
  return cells;
}

// For each pixel, the cell its middle lies in.
function cellsUnder(edges, pixels) {
  const found = new Int32Array(pixels), last = edges.length - 1, step = (edges[last] - edges[0]) / pixels;
  for (let i = 0, cell = 0; i < pixels; i += 1) {
    const middle = edges[0] + (i + 0.5) * step;
    while (cell < last - 1 && edges[cell + 1] <= middle) cell += 1;
    found[i] = cell;
  }
  return found;
}

function paintPixels(canvas, data) {
  const { width, height } = canvas, columns = data.shape[1];
  const cells = data.kind === 'photo' ? data.values : colourCells(data);
  const across = cellsUnder(data.xEdges, width), up = cellsUnder(data.yEdges, height);
  const context = canvas.getContext('2d'), image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0, at = 0; row < height; row += 1) {
    const start = up[height - 1 - row] * columns;
    for (let column = 0; column < width; column += 1, at += 1) pixels[at] = cells[start + across[column]];
  }
  context.putImageData(image, 0, 0);
}

// Where the picture is in the room there is. A map, and a photo, have one scale for both axes.
function placeRaster(room, data, equal) {
  const bar = data.kind === 'raster' ? BAR_ROOM : 16, last = (edges) => edges[edges.length - 1];
  const x = { axis: data.x, low: data.xEdges[0], high: last(data.xEdges) }, y = { axis: data.y, low: data.yEdges[0], high: last(data.yEdges) };
  const bottom = BOTTOM + (data.x.kind === 'time' ? 14 : 0);
  let width = Math.max(80, room - LEFT - bar), height = Math.min(MOST_HEIGHT, Math.max(220, width * 0.56));
  if (equal) {
    const slope = (y.high - y.low) / (x.high - x.low);
    height = Math.min(MOST_HEIGHT, Math.max(60, width * slope));
    width = Math.max(60, Math.min(width, height / slope));
  }
  width = Math.round(width);
  height = Math.round(height);
  return { x, y, bottom, box: { left: LEFT, top: TOP, width, height }, width: LEFT + width + bar, height: TOP + height + bottom };
}

function drawBar(data, { box }) {
  const left = box.left + box.width + 16, { top, height } = box, colours = packTable(data.table);
  const css = (number) => `rgb(${number & 255} ${(number >> 8) & 255} ${(number >> 16) & 255})`;
  const y = (value) => top + height - ((value - data.low) / (data.high - data.low)) * height;
  const most = Math.max(2, Math.floor(height / 36));
  const axis = { kind: data.time ? 'time' : data.classes.length ? 'index' : 'number', names: data.classes };
  const ticks = axisTicks(axis, data.low, data.high, data.classes.length || most);
  const middle = left + BAR_WIDTH / 2;
  return s('g', { class: 'plw-colour-bar' },
    Array.from(colours, (colour, i) => s('rect', {
      x: left, width: BAR_WIDTH, y: top + height * (1 - (i + 1) / 256), height: height / 256 + 0.6, fill: css(colour),
    })),
    data.above ? s('path', { d: `M${left} ${top}h${BAR_WIDTH}L${middle} ${top - 8}z`, fill: css(colours[255]) }) : null,
    data.below ? s('path', { d: `M${left} ${top + height}h${BAR_WIDTH}L${middle} ${top + height + 8}z`, fill: css(colours[0]) }) : null,
    ticks.map(({ at, text, more }) => s('text', { x: left + BAR_WIDTH + 6, y: y(at) + 4 }, shorten(more ? `${text} ${more}` : text, 11))),
    s('text', { class: 'plw-axis-title', transform: `translate(${left + BAR_ROOM - 22} ${top + height / 2}) rotate(-90)`, 'text-anchor': 'middle' }, shorten(data.label, Math.max(12, Math.floor(height / 7)))));
}

// The land, as often as it goes round the world within the picture.
function drawLand(land, { x, y, box }) {
  const sx = box.width / (x.high - x.low), sy = box.height / (y.high - y.low);
  const found = [];
  for (let turn = Math.ceil((x.low - 180) / 360); turn * 360 - 180 < x.high; turn += 1) {
    const matrix = [sx * land.unit, 0, 0, -sy * land.unit, (turn * 360 - x.low) * sx, y.high * sy];
    for (const name of ['plw-coast-halo', 'plw-coast']) found.push(s('path', { class: name, d: land.land, transform: `matrix(${matrix.join(' ')})` }));
  }
  return s('svg', { x: box.left, y: box.top, width: box.width, height: box.height, 'data-part': 'land' }, found);
}
