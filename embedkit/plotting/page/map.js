// The page that `embedkit plot` writes: zoom, pan, point at a word, search for one.

import { Combobox } from "./shared/combobox.js";
import { byId } from "./shared/dom.js";
import { listen, ZOOM_STEP } from "./shared/gestures.js";
import { Overlay, readLook } from "./shared/overlay.js";
import { boundsOf, View } from "./shared/view.js";

const LABELS = {
  start: { font: "15px", family: "sans", height: 19, color: "start" },
  end: { font: "15px", family: "sans", height: 19, color: "end" },
  active: { font: "600 15px", family: "sans", height: 19, color: "ink" },
  word: { font: "12px", family: "sans", height: 15, color: "muted", halo: 3 },
};
const LOOK = ["paper", "ink", "muted", "line", "start", "end", "cloud", "sans"];
const MAX_CANDIDATES = 4000; // words in view that are tried for a label
const MAX_LENGTH = 40; // characters of a label
const MAX_MATCHES = 8;
const REACH = 14; // pixels from the pointer to the word it selects

const fold = (text) => text.trim().toLowerCase().replaceAll(" ", "_");
const shorten = (word) => (word.length > MAX_LENGTH ? `${word.slice(0, MAX_LENGTH - 1)}…` : word);

/** Return the words of the page's data as {word, count, x, y, style, folded}. */
function readWords({ words, counts, places, arrows, named }) {
  const starts = new Set(arrows.map(([start]) => start));
  return words.map((word, number) => ({
    word, count: counts[number], x: places[number][0], y: places[number][1],
    style: number >= named ? "word" : starts.has(number) ? "start" : "end",
    folded: fold(word),
  }));
}

class PlotMap {
  constructor(data) {
    this.words = readWords(data);
    this.named = this.words.slice(0, data.named);
    this.cloud = this.words.slice(data.named);
    this.arrows = data.arrows.map(([start, end]) => [this.words[start], this.words[end]]);
    this.active = null;
    this.canvas = byId("map");
    this.overlay = new Overlay(this.canvas, LABELS);
    this.view = new View(boundsOf(this.words), { margin: 0.84, zooms: [0.25, 1e5] });
    listen(this.canvas, this, window);
    this.canvas.addEventListener("dblclick", (event) => this.zoomBy(2, event.offsetX, event.offsetY));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolor());
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    this.recolor();
  }

  /** The user has moved the view. */
  moved() {
    this.redraw();
  }

  hover(left, top) {
    const found = this.view.nearest(this.words, left, top, REACH);
    if (found && found !== this.active) this.select(found);
  }

  pick(left, top) {
    this.select(this.view.nearest(this.words, left, top, REACH));
  }

  /** Handle a key that does not move the view; return whether the key was handled. */
  press(key) {
    if (key === "0") this.showAll();
    else if (key === "/") byId("search").focus();
    else if (key === "Escape") this.select(null);
    else return false;
    return true;
  }

  zoomBy(factor, left, top) {
    this.view.zoomAt(factor, left, top);
    this.redraw();
  }

  showAll() {
    this.view.fit(this.view.bounds);
    this.redraw();
  }

  goTo(word) {
    this.select(word);
    this.view.look(word.x, word.y, Math.max(this.view.zoom, 3));
    this.redraw();
  }

  select(word) {
    this.active = word;
    const times = (count) => `${count.toLocaleString("en")} ${count === 1 ? "time" : "times"}`;
    byId("status").textContent = word === null ? ""
      : word.word + (word.count ? `: ${times(word.count)} in the corpus` : "");
    this.redraw();
  }

  recolor() {
    this.look = readLook(this.canvas, LOOK);
    this.redraw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    Object.assign(this.view, { width, height });
    this.draw(); // at once: resizing clears a canvas
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.ratio) return;
    const { overlay, view } = this;
    overlay.begin(view, this.ratio, this.look);
    overlay.points(this.cloud.map((word) => view.toPixels(word)), 3, "cloud");
    for (const [from, to] of this.arrows) {
      overlay.line(view.toPixels(from), view.toPixels(to), { color: "line", width: 1.5, arrow: true });
    }
    for (const word of this.named) {
      const diamond = word.style === "end";
      overlay.dot(view.toPixels(word), diamond ? 6 : 5, word.style, { diamond });
    }
    // For tests, and for anyone who inspects the page.
    this.canvas.dataset.labels = this.drawLabels();
    this.canvas.dataset.view = [view.x, view.y, view.scale].join(" ");
  }

  /** Label the active word, the named words, then others where there is room; return how many. */
  drawLabels() {
    const { active, overlay, view } = this;
    const write = (word, style, options) =>
      overlay.label(shorten(word.word), view.toPixels(word), style, options);
    let written = 0;
    if (active) {
      overlay.ring(view.toPixels(active), 7, "ink");
      written += write(active, "active", { gap: 10, must: true });
    }
    const { left, right, bottom, top } = view.rectangle;
    let candidates = 0;
    for (const word of this.words) {
      const { x, y, style } = word;
      if (word === active || x < left || x > right || y < bottom || y > top) continue;
      candidates += 1;
      if (candidates > MAX_CANDIDATES) break;
      const isNamed = style !== "word";
      written += write(word, style, { gap: isNamed ? 9 : 5, overLines: isNamed });
    }
    return written;
  }
}

/** Return the words that start with a text, then those that contain it. */
function matching(words, text) {
  if (!text) return [];
  const starting = words.filter(({ folded }) => folded.startsWith(text));
  const exact = starting.filter(({ folded }) => folded === text);
  const containing = words.filter(({ folded }) => folded.includes(text));
  return [...new Set([...exact, ...starting, ...containing])].slice(0, MAX_MATCHES);
}

function listenToSearch(map) {
  const field = byId("search");
  const options = new Combobox(field, byId("matches"), {
    render: ({ word }) => [word], take: (word) => map.goTo(word), preselect: true,
  });
  field.addEventListener("input", () => options.open(matching(map.words, fold(field.value))));
  field.addEventListener("blur", () => options.close());
  field.addEventListener("keydown", (event) => {
    if (options.press(event.key)) event.preventDefault();
    else if (event.key === "Enter") find(field.value);
    else if (event.key === "Escape") {
      field.value = "";
      options.close();
      map.canvas.focus();
    }
  });
  const find = (text) => {
    const [word] = matching(map.words, fold(text));
    if (word) map.goTo(word);
    else if (fold(text)) byId("status").textContent = "No matching word on this map.";
  };
}

const map = new PlotMap(JSON.parse(byId("data").textContent));
listenToSearch(map);
byId("zoom-in").addEventListener("click", () => map.zoomBy(ZOOM_STEP));
byId("zoom-out").addEventListener("click", () => map.zoomBy(1 / ZOOM_STEP));
byId("zoom-all").addEventListener("click", () => map.showAll());
