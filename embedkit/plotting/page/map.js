"use strict";
// A map of words on a canvas: zoom, move, hover, find a word.

const data = JSON.parse(document.getElementById("data").textContent);
const [canvas, told, sought, found] = ["map", "told", "sought", "found"].map(
  (id) => document.getElementById(id));
const pen = canvas.getContext("2d");
const starts = new Set(data.arrows.map(([start]) => start));
const widths = new Map();
const SPOTS = [[1, 0], [-1, 0], [0, -1], [0, 1], [0.8, -0.8], [0.8, 0.8], [-0.8, -0.8], [-0.8, 0.8]];
const MOST_TRIED = 4000; // labels of one picture
const LONGEST = 40; // characters of a label
const NEAR = 14; // pixels from the pointer to a word that it tells

let size = { width: 0, height: 0 };
let look = {};
let view = { x: 0, y: 0, scale: 1 }; // the middle, and pixels a unit
let marked = -1; // the word that is told
let waiting = false;

const count = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
const toPixels = ([x, y]) =>
  [size.width / 2 + (x - view.x) * view.scale, size.height / 2 - (y - view.y) * view.scale];
const shown = (word) => word.length > LONGEST ? `${word.slice(0, LONGEST - 1)}…` : word;

function whole() {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of data.places) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [bottom, top] = [Math.min(bottom, y), Math.max(top, y)];
  }
  const scale = 0.84 * Math.min(
    size.width / (right - left || 1e-9), size.height / (top - bottom || 1e-9));
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Math.min(scale, 1e6) };
}

function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function show(next) {
  view = next;
  later();
}

function zoom(factor, [x, y] = [size.width / 2, size.height / 2]) {
  const least = whole().scale / 4;
  const scale = Math.min(Math.max(view.scale * factor, least), least * 4e5);
  const [across, up] = [x - size.width / 2, size.height / 2 - y];
  show({
    x: view.x + across / view.scale - across / scale,
    y: view.y + up / view.scale - up / scale,
    scale,
  });
}

function move(x, y) {
  show({ ...view, x: view.x - x / view.scale, y: view.y + y / view.scale });
}

function tell(place) {
  marked = place;
  if (place < 0) told.textContent = "";
  else {
    const times = data.counts[place];
    told.textContent = data.words[place] + (times ? `: ${count(times, "time")} in the text` : "");
  }
  later();
}

function draw() {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.lineCap = "round";
  const pixels = data.places.map(toPixels);
  pen.fillStyle = look.cloud;
  for (let place = data.named; place < pixels.length; place++) {
    pen.fillRect(pixels[place][0] - 1.5, pixels[place][1] - 1.5, 3, 3);
  }
  for (const [start, end] of data.arrows) arrow(pixels[start], pixels[end]);
  for (let place = 0; place < data.named; place++) mark(place, pixels[place]);
  const labelled = writeLabels(pixels);
  // For whoever looks in from outside, tests among them.
  canvas.dataset.labels = labelled;
  canvas.dataset.view = [view.x, view.y, view.scale].join(" ");
}

function mark(place, [x, y]) {
  pen.fillStyle = starts.has(place) ? look.start : look.end;
  pen.beginPath();
  if (starts.has(place)) pen.arc(x, y, 4.5, 0, 2 * Math.PI);
  else for (const [across, up] of [[5, 0], [0, 5], [-5, 0], [0, -5]]) pen.lineTo(x + across, y + up);
  pen.fill();
}

function arrow([fromX, fromY], [toX, toY]) {
  const length = Math.hypot(toX - fromX, toY - fromY);
  if (length < 12) return;
  const [alongX, alongY] = [(toX - fromX) / length, (toY - fromY) / length];
  const [tipX, tipY] = [toX - 7 * alongX, toY - 7 * alongY];
  pen.strokeStyle = pen.fillStyle = look.line;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(fromX + 7 * alongX, fromY + 7 * alongY);
  pen.lineTo(tipX - 4 * alongX, tipY - 4 * alongY);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(tipX, tipY);
  for (const side of [4, -4]) {
    pen.lineTo(tipX - 10 * alongX + side * alongY, tipY - 10 * alongY - side * alongX);
  }
  pen.fill();
}

/** Write the labels that have room, the word that is told first; return how many. */
function writeLabels(pixels) {
  // The marks of words that were named stay free.
  const taken = pixels.slice(0, data.named).map(([x, y]) => [x - 5, y - 5, x + 5, y + 5]);
  let written = 0;
  let tried = 0;
  const order = pixels.map((_, place) => place);
  if (marked >= 0) order.unshift(marked);
  for (const place of order) {
    const [x, y] = pixels[place];
    if (x < 0 || y < 0 || x > size.width || y > size.height) continue;
    if (++tried > MOST_TRIED) break;
    if ((place !== marked || tried === 1) && label(place, x, y, taken)) written++;
  }
  return written;
}

/** Write a label where it has room; return whether it has. */
function label(place, x, y, taken) {
  const isTold = place === marked;
  const isNamed = place < data.named;
  pen.font = `${isTold ? "600 " : ""}${isNamed || isTold ? 15 : 12}px ${look.font}`;
  const text = shown(data.words[place]);
  const key = pen.font + text;
  if (!widths.has(key)) widths.set(key, pen.measureText(text).width);
  const [width, height] = [widths.get(key) + 4, isNamed || isTold ? 19 : 15];
  const gap = isNamed || isTold ? 8 : 4;
  for (const [across, up] of SPOTS) {
    const left = x + across * (width / 2 + gap) - width / 2;
    const top = y + up * (height / 2 + gap) - height / 2;
    if (left < 0 || top < 0 || left + width > size.width || top + height > size.height) continue;
    if (taken.some((other) => left < other[2] && other[0] < left + width
      && top < other[3] && other[1] < top + height)) continue;
    taken.push([left, top, left + width, top + height]);
    if (isTold) ring(x, y);
    pen.fillStyle = isTold ? look.ink
      : isNamed ? (starts.has(place) ? look.start : look.end) : look.muted;
    pen.textBaseline = "middle";
    pen.fillText(text, left + 2, top + height / 2);
    return true;
  }
  return false;
}

function ring(x, y) {
  pen.strokeStyle = look.ink;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 7, 0, 2 * Math.PI);
  pen.stroke();
}

function nearest([x, y]) {
  let [best, least] = [-1, NEAR * NEAR];
  data.places.forEach((place, number) => {
    const [px, py] = toPixels(place);
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [number, distance];
  });
  return best;
}

// Pointers: one moves, two pinch, none hovers.

const pointers = new Map();
const at = (event) => [event.offsetX, event.offsetY];

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  if (pointers.size === 1) tell(nearest(at(event)));
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  const [x, y] = at(event);
  if (!before) {
    const place = nearest([x, y]);
    if (place >= 0 && place !== marked) tell(place);
    return;
  }
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const apart = ([px, py]) => Math.hypot(px - other[0], py - other[1]) || 1;
    zoom(apart([x, y]) / apart(before), other);
  } else move(x - before[0], y - before[1]);
  pointers.set(event.pointerId, [x, y]);
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), at(event));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(2, at(event)));

const KEYS = {
  "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), "0": () => show(whole()),
  ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0),
  ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60), Escape: () => tell(-1),
};
addEventListener("keydown", (event) => {
  if (event.target === sought || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") sought.focus();
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});
document.getElementById("in").addEventListener("click", KEYS["+"]);
document.getElementById("out").addEventListener("click", KEYS["-"]);
document.getElementById("whole").addEventListener("click", KEYS["0"]);

// The search: words that begin so, then words that hold it.

const fold = (text) => text.trim().toLowerCase().replaceAll(" ", "_");
const folded = data.words.map(fold);
let matches = [];
let chosen = 0;

function seek() {
  const text = fold(sought.value);
  const begin = [];
  const hold = [];
  if (text) folded.forEach((word, place) => {
    if (word.startsWith(text)) (word === text ? begin.unshift(place) : begin.push(place));
    else if (word.includes(text)) hold.push(place);
  });
  matches = [...begin, ...hold].slice(0, 8);
  chosen = 0;
  list();
}

function list() {
  found.replaceChildren(...matches.map((place, number) => {
    const item = document.createElement("li");
    item.textContent = data.words[place];
    item.classList.toggle("chosen", number === chosen);
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); goTo(place); });
    return item;
  }));
}

function goTo(place) {
  const [x, y] = data.places[place];
  matches = [];
  list();
  tell(place);
  show({ x, y, scale: Math.max(view.scale, whole().scale * 3) });
}

sought.addEventListener("input", seek);
sought.addEventListener("blur", () => { matches = []; list(); });
sought.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && matches.length) goTo(matches[chosen]);
  else if (event.key === "Enter" && fold(sought.value)) told.textContent = "no such word is here";
  else if (event.key === "Escape") { sought.value = ""; seek(); canvas.focus(); }
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : matches.length - 1;
    chosen = matches.length ? (chosen + step) % matches.length : 0;
    list();
  } else return;
  event.preventDefault();
});

// light-dark() is computed only where it is a colour.
function readLook() {
  const probe = document.createElement("i");
  document.body.append(probe);
  for (const name of ["paper", "ink", "muted", "line", "start", "end", "cloud"]) {
    probe.style.color = `var(--${name})`;
    look[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  look.font = getComputedStyle(document.body).fontFamily;
  later();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readLook);
new ResizeObserver(() => {
  const first = !size.width;
  size = { width: canvas.clientWidth, height: canvas.clientHeight };
  if (first) view = whole();
  later();
}).observe(canvas);
readLook();
