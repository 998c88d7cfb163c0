// The result: a picture with sliders, the value under the pointer, and the lines through it.
const RESIZE_MS = 200, PAGE_STEP = 10;
const HINT = 'Point at the picture to read a value. Press it, or Enter, for the values along its axes; arrow keys go from point to point.';

class ResultPlot {
  constructor(form, block, view) {
    Object.assign(this, { form, view, data: null, point: null, pinned: false, place: null, asked: Infinity, revision: null });
    this.canvas = h('canvas', { class: 'plw-raster', role: 'img' });
    this.axes = s('svg', { class: 'plw-axes' });
    this.waiting = h('p', { class: 'plw-waiting' });
    this.surface = h('div', { class: 'plw-surface', tabindex: '0', role: 'group' }, this.canvas, this.axes, this.waiting);
    this.value = h('p', { class: 'plw-value' });
    this.remark = h('p', { class: 'plw-remark' });
    this.caption = h('figcaption', {});
    this.figure = h('figure', { class: 'plw-plot' }, this.caption, this.surface, this.value, this.remark);
    this.sliders = h('div', { class: 'plw-sliders' });
    this.inspected = h('div', { class: 'plw-inspected' });
    this.said = h('p', { class: 'plw-sr', role: 'status' });
    this.profile = h('div', { class: 'plw-profile', hidden: true });
    this.empty = h('div', { class: 'plw-empty' }, icon('chart'), h('p', {}, block.empty));
    this.sentence = this.empty.querySelector('p');
    this.blank = block.empty;
    this.shown = h('div', { class: 'plw-result-shown' }, this.figure, this.sliders, this.inspected, this.said, this.profile);
    this.node = h('div', { class: 'plw-result' }, this.empty, this.shown);
    this.slide = new Asker((message) => this.send(message));
    this.inspect = new Asker((message) => this.send(message));
    this.listen();
  }

  send(message) { this.form.send({ ...message, view: this.view.id }); }

  listen() {
    this.form.on('msg:custom', (content, buffers) => this.receive(content, buffers), this.view);
    this.surface.addEventListener('pointermove', (event) => this.follow(event));
    this.surface.addEventListener('pointerleave', () => { if (!this.pinned) this.release(); });
    this.surface.addEventListener('click', (event) => { this.follow(event, true); });
    this.surface.addEventListener('keydown', (event) => this.press(event));
    let late;
    new ResizeObserver(() => {
      this.draw();
      clearTimeout(late);
      const more = () => { if (this.roomInPixels() > this.asked) this.askPicture(); };
      if (this.asked) late = setTimeout(more, RESIZE_MS);
      else more();
    }).observe(this.node);
  }

  // The form's traits

  update() {
    const picture = unpack(this.form, 'picture'), drawable = picture.kind === 'picture';
    this.empty.hidden = drawable;
    this.shown.hidden = !drawable;
    this.sentence.textContent = picture.sentence || this.blank;
    this.empty.dataset.tone = picture.sentence ? 'said' : '';
    this.caption.textContent = picture.title || '';
    this.canvas.setAttribute('aria-label', picture.alt || 'Result');
    this.axes.setAttribute('aria-hidden', 'true');
    this.surface.setAttribute('aria-label', `Values of ${picture.title || 'the result'}: arrow keys go from point to point, Enter shows the values along the axes`);
    if (drawable && picture.revision !== this.revision) {
      this.revision = picture.revision;
      this.await(picture);
      this.release();
      this.slide.forget();
      this.inspect.forget();
      this.showProfile(null);
      this.askPicture();
    } else if (this.data) {
      this.draw();
    }
  }

  // Until the kernel has sent the picture, what it shows in words.
  await({ alt }) {
    this.waiting.textContent = `${alt} The picture is on its way.`;
    this.waiting.hidden = !!this.data;
    this.canvas.hidden = !this.data;
  }

  roomInPixels() { return Math.round(this.node.clientWidth * (globalThis.devicePixelRatio || 1)); }

  askPicture() {
    const width = this.roomInPixels();
    // Out of sight there is no width: the observer asks when there is one.
    this.asked = width;
    if (width) this.send({ type: 'picture', width, height: Math.round(MOST_HEIGHT * (globalThis.devicePixelRatio || 1)) });
  }

  // What the kernel sends

  receive(content, buffers) {
    if (content.type === 'picture') {
      this.data = readPicture(content, buffers);
      this.slide.answered();
      this.showSliders();
      this.draw();
      this.lookAgain();
    } else if (content.type === 'colours' && this.data?.kind === 'raster') {
      Object.assign(this.data, content, { type: 'picture', table: numbersOf(buffers[0], Uint8Array) });
      this.draw();
    } else if (content.type === 'inspected' && content.view === this.view.id) {
      this.inspect.answered();
      this.showPoint(content);
    } else if (content.type === 'profile' && content.view === this.view.id) {
      this.showProfile(content, buffers);
    }
  }

  // The picture has moved: so has what is under the pin.
  lookAgain() {
    if (!this.point) return;
    const { column, row } = this.point;
    this.inspect.ask({ type: 'inspect', column, row });
    if (!this.profile.hidden) this.send({ type: 'profile', column, row });
  }

  // Drawing

  draw() {
    const { data } = this, room = this.node.clientWidth;
    if (!data || !room) return;
    const raster = data.kind === 'raster' || data.kind === 'photo';
    this.waiting.hidden = true;
    this.canvas.hidden = !raster;
    this.surface.hidden = data.kind === 'value';
    this.value.textContent = data.kind === 'value' ? data.text : '';
    this.value.hidden = data.kind !== 'value';
    this.inspected.hidden = data.kind === 'value';
    const said = raster ? [data.empty ? 'Every value of this plane is missing.' : '', data.thinned] : [];
    this.remark.textContent = [unpack(this.form, 'picture').remark, ...said].filter(Boolean).join(' ');
    // A line has no canvas to bear the description.
    this.axes.setAttribute('aria-hidden', String(raster));
    if (raster) this.drawRaster(room);
    else if (data.kind === 'line') this.drawLine(room);
    this.drawPoint();
  }

  drawRaster(room) {
    const picture = unpack(this.form, 'picture'), { data, canvas, axes } = this;
    const place = placeRaster(room, data, picture.map || data.kind === 'photo');
    const ratio = globalThis.devicePixelRatio || 1, { box } = place;
    this.place = place;
    canvas.width = Math.max(1, Math.round(box.width * ratio));
    canvas.height = Math.max(1, Math.round(box.height * ratio));
    Object.assign(canvas.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
    paintPixels(canvas, data);
    // A slider changes the pixels alone, and is moved fast.
    const { low, high, below, above, label, classes } = data, ends = (edges) => [edges[0], edges[edges.length - 1]];
    const around = JSON.stringify([room, picture, low, high, below, above, label, classes, data.x, data.y,
      ends(data.xEdges), ends(data.yEdges), [...data.table]]);
    if (around === this.around) return;
    this.around = around;
    this.setSize(place);
    axes.replaceChildren(
      s('rect', { class: 'plw-frame', x: box.left - 0.5, y: box.top - 0.5, width: box.width + 1, height: box.height + 1 }),
      ...drawAxes(box, place.x, place.y).flat(Infinity).filter(Boolean),
      ...(data.kind === 'raster' ? [drawBar(data, place)] : []));
    if (picture.map && picture.coastline) {
      askLand(this.view).then((land) => {
        if (this.around === around && !axes.querySelector('[data-part=land]')) axes.querySelector('.plw-frame').after(drawLand(land, place));
      });
    }
  }

  drawLine(room) {
    this.around = null;
    this.place = placeLine(room, this.data.line, this.data.time);
    this.setSize(this.place);
    this.axes.setAttribute('role', 'img');
    this.axes.setAttribute('aria-label', unpack(this.form, 'picture').alt || sayLine(this.data.line));
    this.axes.replaceChildren(...drawLine(this.place, this.data.line).flat(Infinity).filter(Boolean));
  }

  setSize({ width, height }) {
    Object.assign(this.surface.style, { width: `${width}px`, height: `${height}px` });
    this.axes.setAttribute('width', width);
    this.axes.setAttribute('height', height);
  }

  drawPoint() {
    this.axes.querySelector('.plw-pin')?.remove();
    if (!this.point || !this.place || this.data.kind === 'value') return;
    const { box, x, y } = this.place;
    const cx = box.left + ((this.point.x - x.low) / (x.high - x.low)) * box.width;
    const cy = box.top + box.height - ((this.point.y - y.low) / (y.high - y.low)) * box.height;
    if (!Number.isFinite(cx + cy)) return;
    this.axes.append(s('g', { class: 'plw-pin' }, s('circle', { cx, cy, r: 6 }), s('circle', { cx, cy, r: 6 })));
  }

  // The point that is looked at

  follow(event, press = false) {
    if (!this.place || (this.pinned && !press)) return;
    const { box, x, y } = this.place, frame = this.surface.getBoundingClientRect();
    const across = (event.clientX - frame.left - box.left) / box.width, down = (event.clientY - frame.top - box.top) / box.height;
    if (!(across >= 0 && across <= 1 && down >= 0 && down <= 1)) return;
    const at = { x: x.low + across * (x.high - x.low), y: y.high - down * (y.high - y.low) };
    this.quiet = true;
    if (press) {
      this.pinned = true;
      this.send({ type: 'profile', ...at });
    }
    this.inspect.ask({ type: 'inspect', ...at });
  }

  press(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = steps[event.key], far = event.shiftKey ? PAGE_STEP : 1;
    if (event.target !== this.surface || !this.data) return;
    if (step) {
      const from = this.point || { column: 0, row: 0 }, moved = this.point ? far : 0;
      this.quiet = false;
      this.pinned = true;
      this.inspect.ask({ type: 'inspect', column: from.column + step[0] * moved, row: from.row + step[1] * moved });
    } else if ((event.key === 'Enter' || event.key === ' ') && this.point) {
      this.send({ type: 'profile', column: this.point.column, row: this.point.row });
    } else if (event.key === 'Escape') {
      this.release();
      this.showProfile(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  release() {
    this.point = null;
    this.pinned = false;
    this.axes.querySelector('.plw-pin')?.remove();
    this.inspected.replaceChildren(h('p', { class: 'plw-hint' }, HINT));
  }

  showPoint(point) {
    this.point = point;
    const pairs = [...point.places, ...point.values];
    this.inspected.replaceChildren(h('dl', {}, pairs.map(([term, text], i) =>
      h('div', { class: i < point.places.length ? null : 'plw-inspected-value' }, h('dt', {}, term), h('dd', {}, text)))));
    // A pointer moves faster than anybody listens.
    if (!this.quiet) this.said.textContent = pairs.map(([term, text]) => `${term} ${text}`).join(', ');
    this.drawPoint();
  }

  showProfile(content, buffers = []) {
    this.profile.hidden = !content;
    if (!content) { this.profile.replaceChildren(); return; }
    const close = h('button', { type: 'button', class: 'plw-button', 'data-tone': 'chip', onclick: () => { this.showProfile(null); this.surface.focus(); } }, 'Close');
    // Two share a row where there is room for them.
    const room = this.node.clientWidth - 2, share = content.lines.length > 1 && room > 720 ? (room - 16) / 2 : room;
    const charts = content.lines.map((told, i) => {
      const line = readLine(told, buffers.slice(2 * i, 2 * i + 2)), place = placeLine(Math.floor(share), line, content.time);
      return s('svg', { class: 'plw-axes', width: place.width, height: place.height, role: 'img', 'aria-label': sayLine(line) }, drawLine(place, line));
    });
    this.profile.replaceChildren(h('div', { class: 'plw-profile-head' }, h('p', {}, `Values through ${content.title}`), close), h('div', { class: 'plw-profile-charts' }, charts));
  }

  // Sliders

  showSliders() {
    const told = this.data.sliders, key = JSON.stringify(told.map(({ dim, size }) => [dim, size]));
    if (this.sliders.dataset.key !== key) {
      this.sliders.dataset.key = key;
      this.sliders.replaceChildren(...told.map((each) => this.makeSlider(each)));
    }
    told.forEach((each, i) => {
      const [input, output] = this.sliders.children[i].querySelectorAll('input, output');
      // Who drags it is ahead of the answers.
      if (!this.slide.busy) input.value = String(each.index);
      input.setAttribute('aria-valuetext', each.text);
      output.textContent = each.text;
    });
  }

  makeSlider({ dim, label, size, index }) {
    const id = `plw-${++count}`;
    const input = h('input', { id, type: 'range', min: '0', max: String(size - 1), step: '1', value: String(index) });
    input.addEventListener('input', () => this.slide.ask({ type: 'slide', dim, index: Number(input.value) }));
    return h('div', { class: 'plw-slider' }, h('label', { for: id }, label), input, h('output', { for: id }));
  }
}

BLOCKS.result = (form, block, paints, flushes, view) => {
  const plot = new ResultPlot(form, block, view);
  paints.picture.push(() => plot.update());
  return plot.node;
};
