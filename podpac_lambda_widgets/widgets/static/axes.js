// Ticks of axes and what stands beside them; an SVG is drawn of both. Positions are numbers, times milliseconds of UTC.
const DECIMAL = [1, 2, 2.5, 5, 10], ANGLES = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90], MONTHS_A_STEP = [1, 2, 3, 6];
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, MONTH = 30.44 * DAY, YEAR = 365.25 * DAY;
const SPANS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500], ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR), ...[1, 2, 4, 7, 14].map((n) => n * DAY),
];
const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const RAISED = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' };
const SVG = 'http://www.w3.org/2000/svg';

function s(tag, props, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props || {})) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function niceStep(span, most) {
  const rough = span / Math.max(most, 1);
  if (!(rough > 0 && Number.isFinite(rough))) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return DECIMAL.find((step) => step * power >= rough * 0.999999) * power;
}

function multiples(low, high, step) {
  const found = [], slack = step * 1e-6, first = Math.ceil((low - slack) / step);
  // Adding up would add up the rounding as well.
  for (let n = first; n * step <= high + slack && found.length < 200; n += 1) found.push(n * step);
  return found;
}

// A number beside its neighbours on an axis: as many digits as tell them apart, powers of ten where they are long.
function numberText(value, step, largest) {
  if (Math.abs(value) < step * 1e-6) return '0';
  if (largest >= 1e6 || largest < 1e-3) {
    const power = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
    const digits = Math.min(Math.max(power - Math.floor(Math.log10(step) + 1e-9) + 1, 0), 15);
    const [lead] = (value / 10 ** power).toFixed(digits).split('e');
    const short = lead.includes('.') ? lead.replace(/\.?0+$/, '') : lead;
    return `${short}×10${[...String(power)].map((each) => RAISED[each]).join('')}`.replace('-', '−');
  }
  let decimals = 0;
  while (decimals < 12 && Math.abs(step - Number(step.toFixed(decimals))) > step * 1e-6) decimals += 1;
  return value.toFixed(decimals).replace('-', '−');
}

function degreesText(value, kind, step) {
  let degrees = value;
  if (kind === 'lon' && Math.abs(degrees) > 180) degrees = ((((degrees + 180) % 360) + 360) % 360) - 180;
  const side = Math.abs(degrees) < 1e-9 || (kind === 'lon' && Math.abs(degrees) === 180) ? '' : ` ${degrees > 0 ? (kind === 'lat' ? 'N' : 'E') : (kind === 'lat' ? 'S' : 'W')}`;
  return `${numberText(Math.abs(degrees), step, 1)}°${side}`;
}

function timeStarts(low, high, most) {
  const rough = (high - low) / Math.max(most, 1);
  const span = SPANS.find((each) => each >= rough);
  if (span) return [span, multiples(low, high, span)];
  const months = MONTHS_A_STEP.find((each) => each * MONTH >= rough) || 12 * Math.max(1, Math.round(niceStep(high - low, most) / YEAR) || 1);
  const start = new Date(low), found = [];
  let year = start.getUTCFullYear(), month = Math.floor(start.getUTCMonth() / months) * months;
  if (months >= 12) { year -= ((year % (months / 12)) + months / 12) % (months / 12); month = 0; }
  for (let at = 0; found.length < 200; month += months) {
    // Years before 100 need a setter: the constructor takes them for those of the last century.
    at = new Date(0).setUTCFullYear(year, month, 1);
    if (!(at <= high)) break;
    if (at >= low) found.push(at);
  }
  return [months * MONTH, found];
}

// What stands at a time, and what is the same at its neighbours: only said where it changes.
function timeTexts(at, step) {
  const date = new Date(at), two = (number) => String(number).padStart(2, '0');
  const year = String(date.getUTCFullYear()), month = MONTH_NAMES[date.getUTCMonth()];
  if (step >= 360 * DAY) return [year, ''];
  if (step >= 28 * DAY) return [month, year];
  if (step >= DAY) return [`${date.getUTCDate()} ${month}`, year];
  const day = `${date.getUTCDate()} ${month} ${year}`, minutes = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (step >= MINUTE) return [minutes, day];
  const seconds = `${minutes}:${two(date.getUTCSeconds())}`;
  return [step >= SECOND ? seconds : `${seconds}.${String(date.getUTCMilliseconds()).padStart(3, '0')}`, day];
}

function timeTicks(low, high, most) {
  const [step, starts] = timeStarts(low, high, most);
  let said = '';
  return starts.map((at) => {
    const [text, same] = timeTexts(at, step), more = same === said ? '' : same;
    said = same;
    return { at, text, more };
  });
}

function axisTicks(axis, low, high, most) {
  if (axis.kind === 'time') return timeTicks(low, high, most);
  if (axis.kind === 'index') {
    const every = Math.ceil(axis.names.length / Math.max(most, 1));
    if (axis.names.length) return axis.names.map((text, at) => ({ at, text })).filter(({ at }) => at % every === 0);
    // Counted from 1, as people do; the rows of an image from above.
    const step = Math.ceil(Math.max(1, niceStep(high - low, most))), falls = high < 1 && low < -1;
    const counts = falls ? multiples(1 - high, 1 - low, step) : multiples(low + 1, high + 1, step);
    return counts.filter((at) => at >= 1).map((at) => ({ at: falls ? 1 - at : at - 1, text: String(at) }));
  }
  const rough = (high - low) / Math.max(most, 1), degrees = axis.kind === 'lat' || axis.kind === 'lon';
  const step = degrees && rough > 1 ? ANGLES.find((each) => each >= rough) || 90 : niceStep(high - low, most);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return multiples(low, high, step).map((at) => ({ at, text: degrees ? degreesText(at, axis.kind, step) : numberText(at, step, largest) }));
}

function longest(axis) {
  return axis.names?.length ? Math.max(...axis.names.map((name) => name.length)) : axis.kind === 'number' ? 7 : 6;
}

function shorten(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// Axes around a box, into an SVG. ``x`` and ``y``: axis (kind, title, names), low, high.
function drawAxes(box, x, y) {
  const right = box.left + box.width, bottom = box.top + box.height;
  const across = (at) => box.left + ((at - x.low) / (x.high - x.low)) * box.width;
  const up = (at) => bottom - ((at - y.low) / (y.high - y.low)) * box.height;
  const most = Math.max(2, Math.floor(box.width / Math.min(160, longest(x.axis) * 7 + 26)));
  const along = axisTicks(x.axis, x.low, x.high, most);
  const upright = axisTicks(y.axis, y.low, y.high, Math.max(2, Math.floor(box.height / (box.grid ? 30 : 44))));
  const grid = box.grid ? upright.map(({ at }) => s('line', { class: 'plw-grid-line', x1: box.left, x2: right, y1: up(at), y2: up(at) })) : [];
  const spaced = along.some(({ more }) => more);
  return [
    grid,
    along.map(({ at, text, more }) => [
      s('line', { class: 'plw-tick', x1: across(at), x2: across(at), y1: bottom, y2: bottom + 4 }),
      s('text', { x: across(at), y: bottom + 18, 'text-anchor': 'middle' }, shorten(text, 24)),
      more ? s('text', { x: across(at), y: bottom + 33, 'text-anchor': 'middle' }, more) : null,
    ]),
    upright.map(({ at, text, more }) => [
      s('line', { class: 'plw-tick', x1: box.left - 4, x2: box.left, y1: up(at), y2: up(at) }),
      s('text', { x: box.left - 8, y: up(at) + 4, 'text-anchor': 'end' }, shorten(more ? `${text} ${more}` : text, 14)),
    ]),
    s('text', { class: 'plw-axis-title', x: box.left + box.width / 2, y: bottom + (spaced ? 50 : 36), 'text-anchor': 'middle' }, shorten(x.axis.title, 60)),
    s('text', { class: 'plw-axis-title', transform: `translate(12 ${box.top + box.height / 2}) rotate(-90)`, 'text-anchor': 'middle' }, shorten(y.axis.title, Math.max(12, Math.floor(box.height / 7)))),
  ];
}
