// Values along one axis, as a line.
const LINE_HEIGHT = 260, MOST_DOTS = 60;

function readLine(line, buffers) {
  return { ...line, xs: numbersOf(buffers[0], Float64Array), ys: numbersOf(buffers[1], Float64Array) };
}

function reach(numbers) {
  let low = Infinity, high = -Infinity;
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return low <= high ? [low, high] : [0, 1];
}

function widen([low, high], part) {
  const margin = (high / 2 - low / 2) * 2 * part || Math.abs(low) * 0.05 || 0.5;
  return [low - margin, high + margin];
}

function placeLine(room, line, time) {
  const [low, high] = widen(reach(line.xs), 0.02), [below, above] = widen(reach(line.ys), 0.06);
  const x = { axis: line.x, low, high }, y = { axis: { kind: time ? 'time' : 'number', title: line.label, names: [] }, low: below, high: above };
  const bottom = BOTTOM + (line.x.kind === 'time' ? 14 : 0), left = time ? LEFT + 24 : LEFT;
  const box = { left, top: TOP, width: Math.max(80, room - left - 20), height: LINE_HEIGHT - TOP - bottom, grid: true };
  return { x, y, box, width: room, height: LINE_HEIGHT };
}

// A gap where a value is missing.
function linePath(line, across, up) {
  let path = '', drawing = false;
  line.xs.forEach((x, i) => {
    const there = Number.isFinite(line.ys[i]);
    if (there) path += `${drawing ? 'L' : 'M'}${across(x).toFixed(1)} ${up(line.ys[i]).toFixed(1)}`;
    drawing = there;
  });
  return path;
}

function drawLine(place, line) {
  const { x, y, box } = place;
  const across = (at) => box.left + ((at - x.low) / (x.high - x.low)) * box.width;
  const up = (at) => box.top + box.height - ((at - y.low) / (y.high - y.low)) * box.height;
  const dots = line.xs.length > MOST_DOTS ? [] : Array.from(line.xs, (at, i) => (Number.isFinite(line.ys[i])
    ? s('circle', { class: 'plw-dot', cx: across(at), cy: up(line.ys[i]), r: 3 }) : null));
  return [
    drawAxes(box, x, y),
    line.at === null || line.at === undefined ? null : s('line', { class: 'plw-here', x1: across(line.at), x2: across(line.at), y1: box.top, y2: box.top + box.height }),
    s('path', { class: 'plw-line', d: linePath(line, across, up) }),
    dots,
  ];
}

function sayLine(line) {
  const [low, high] = reach(line.ys);
  const step = niceStep(high - low, 100), largest = Math.max(Math.abs(low), Math.abs(high));
  return `${line.label} along ${line.x.title}, from ${numberText(low, step, largest)} to ${numberText(high, step, largest)}`;
}
