// The map: the cloud of all words, the figure of the question, and the word pointed at.

import { Cloud } from "./cloud.js";
import { rgbaOf } from "./color.js";
import { boundsOfMost, Grid } from "./grid.js";
import { drawFigure, drawWords, LABELS } from "./scene.js";
import { byId, make } from "./shared/dom.js";
import { listen } from "./shared/gestures.js";
import { Overlay, readLook } from "./shared/overlay.js";
import { boundsOf, View } from "./shared/view.js";

const FIRST_DRAWN = 16_000; // points at zoom 1; four times as many at zoom 2, and so on
const SELECTION_RADIUS = 14; // pixels; the pointer selects the nearest word within it
const ANIMATION_TIME = 450; // milliseconds
const LABEL_ZOOM = 2; // up to this zoom, only the most frequent words get labels
const FIRST_LABELED = 5000; // and at most so many words are tried
// The custom properties of the page's style that the drawing uses.
const STYLE_PROPERTIES = ["paper", "ink", "label", "accent", "answer", "line", "cloud", "serif", "sans"];
const NOTHING = { terms: [], answers: [], target: null, arrows: [], sides: [] };

export class WordMap {
  /** `words` looks up words by id; `explore(word)`, `moved(view)`, `shown(words)` are callbacks. */
  constructor({ words, explore, moved, shown }) {
    this.element = byId("map");
    this.words = words;
    this.explore = explore;
    this.onMoved = moved;
    this.onShown = shown;
    this.places = new Float32Array(0);
    this.figure = NOTHING;
    this.hasCloud = true;
    this.active = null;
    this.labeled = [];
    this.shownAt = 0;
    this.reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
    this.overlay = new Overlay(this.element.querySelector(".labels"), LABELS);
    this.view = new View({ left: -1, right: 1, bottom: -1, top: 1 });
    this.grid = null;
    this.cloud = new Cloud(this.element.querySelector(".cloud"));
    listen(this.element, this);
    new ResizeObserver(() => this.resize()).observe(this.element);
    document.documentElement.addEventListener("theme", () => this.recolor());
    this.recolor();
  }

  /** Set the positions of the whole vocabulary, x0 y0 x1 y1 ..., the most frequent word first. */
  fill(places) {
    this.places = places;
    this.bounds = boundsOfMost(places);
    this.grid = new Grid(places, this.bounds);
    this.cloud.fill(places, this.grid);
    if (this.hasCloud) this.view.fit(this.bounds);
    this.redraw();
  }

  /**
   * Show a question; without the cloud, the axes are those of its own words, or two words, `ends`.
   */
  show(figure, { hasCloud, view, ends }) {
    for (const [place, name] of ["axis-left", "axis-right"].entries()) {
      byId(name).hidden = !ends;
      byId(name).textContent = ends ? ["← ", ""][place] + ends[place] + ["", " →"][place] : "";
    }
    this.figure = figure;
    this.hasCloud = hasCloud;
    this.shownAt = performance.now();
    this.select(null);
    byId("card").hidden = true;
    const placed = this.placed();
    if (!hasCloud && placed.length) this.view.fit(boundsOf(placed, 0.25));
    else if (hasCloud && this.bounds) this.view.bounds = this.bounds;
    if (view) this.look(view);
    else if (placed.length) this.fly(this.view.around(placed));
    else this.fly(this.whole());
    this.redraw();
  }

  note(text) {
    byId("map-note").textContent = text;
    byId("map-note").hidden = !text;
  }

  /** Return everything that has a position: terms, answers and the result of the expression. */
  placed() {
    const { terms, answers, target } = this.figure;
    return [...terms, ...answers, ...(target ? [target] : [])].filter(({ x }) => x !== undefined);
  }

  whole() {
    const { left, right, bottom, top } = this.view.bounds;
    return { x: (left + right) / 2, y: (bottom + top) / 2, zoom: 1 };
  }

  look({ x, y, zoom }) {
    cancelAnimationFrame(this.flight);
    this.view.look(x, y, zoom);
    this.redraw();
  }

  fly(to) {
    if (this.reducedMotion.matches) return this.look(to);
    cancelAnimationFrame(this.flight);
    const from = { x: this.view.x, y: this.view.y, zoom: this.view.zoom };
    const start = performance.now();
    const step = (now) => {
      const time = Math.min(1, (now - start) / ANIMATION_TIME);
      const share = 1 - (1 - time) ** 3;
      const zoom = from.zoom * (to.zoom / from.zoom) ** share;
      this.view.look(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share, zoom);
      this.redraw();
      if (time < 1) this.flight = requestAnimationFrame(step);
    };
    this.flight = requestAnimationFrame(step);
  }

  /** Report that the user has moved the view. */
  moved() {
    cancelAnimationFrame(this.flight);
    byId("card").hidden = true;
    this.onMoved({ x: this.view.x, y: this.view.y, zoom: this.view.zoom });
    this.redraw();
  }

  /** Show the words of the question ("figure") or all words ("all"). */
  goTo(where) {
    const placed = this.placed();
    this.fly(where === "figure" && placed.length ? this.view.around(placed, 400) : this.whole());
    this.onMoved(null);
  }

  zoomBy(factor) {
    this.view.zoomAt(factor);
    this.moved();
  }

  get drawn() {
    const { zoom } = this.view;
    return this.hasCloud ? Math.min(this.places.length / 2, Math.round(FIRST_DRAWN * zoom ** 2)) : 0;
  }

  /** Diameter of a point in pixels: larger if there are few points, and when zoomed in. */
  get pointSize() {
    const few = Math.min(1.6, (FIRST_DRAWN / (this.places.length / 2 || 1)) ** 0.3);
    return 2.2 * Math.max(1, few) * Math.min(2.4, this.view.zoom ** 0.3);
  }

  /** Return the word at a pixel as {word, id, x, y}, or null. */
  at(left, top) {
    const words = this.placed().filter(({ word }) => word);
    const named = this.view.nearest(words, left, top, SELECTION_RADIUS);
    if (named || !this.hasCloud) return named;
    const { x, y } = this.view.toPlace(left, top);
    const id = this.grid?.nearest(x, y, SELECTION_RADIUS / this.view.scale, this.drawn) ?? -1;
    return id < 0 ? null : this.wordOf(id);
  }

  wordOf(id) {
    return { id, word: this.words.get(id), ...this.placeOf(id) };
  }

  placeOf(id) {
    return { x: this.places[2 * id], y: this.places[2 * id + 1] };
  }

  hover(left, top) {
    const found = this.at(left, top);
    this.element.classList.toggle("on-word", found !== null);
    if (found?.word === this.active?.word && found?.id === this.active?.id) return;
    this.select(found);
  }

  select(found) {
    this.active = found;
    this.redraw();
  }

  /** Highlight a word of the question, or none. */
  highlight(word) {
    this.select(word && (this.placed().find((one) => one.word === word) ?? null));
  }

  async pick(left, top) {
    const found = this.at(left, top);
    byId("card").hidden = true;
    this.select(found);
    if (!found) return;
    const word = found.word ?? (await this.words.find(found.id));
    if (word && this.active === found) this.openCard({ ...found, word });
  }

  openCard(found) {
    const card = byId("card");
    const button = (text, label, operator) => make("button", {
      type: "button", "aria-label": label,
      onclick: () => this.explore(found.word, operator),
    }, text);
    card.replaceChildren(
      make("strong", {}, found.word),
      make("span", {}, found.id === undefined ? "" : `rank ${(found.id + 1).toLocaleString("en")}`),
      button("near", `Words near ${found.word}`, ""),
      button("+", `Add ${found.word}`, "+"),
      button("−", `Subtract ${found.word}`, "-"));
    card.hidden = false;
    const [left, top] = this.view.toPixels(found);
    const [width, height] = [card.offsetWidth, card.offsetHeight];
    card.style.left = `${Math.max(4, Math.min(left - width / 2, this.view.width - width - 4))}px`;
    card.style.top = `${top > height + 16 ? top - height - 12 : top + 14}px`;
  }

  /** Handle a key that does not move the view; return whether it did something. */
  press(key) {
    if (key === "0") this.goTo("all");
    else if (key === "f") this.goTo("figure");
    else if (key === "n" || key === "p") this.selectNext(key === "n" ? 1 : -1);
    else if (key === "Enter" && this.active?.word) this.explore(this.active.word, "");
    else if (key === "Escape") byId("card").hidden = true;
    else return false;
    return true;
  }

  selectNext(step) {
    const count = this.labeled.length;
    if (!count) return;
    const now = this.labeled.findIndex(({ word }) => word === this.active?.word);
    const next = this.labeled[now < 0 ? (step > 0 ? 0 : count - 1) : (now + step + count) % count];
    this.select(next);
    byId("map-status").textContent = next.word;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of this.element.querySelectorAll("canvas")) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    Object.assign(this.view, { width, height });
    this.draw(); // immediately, because resizing clears a canvas
  }

  recolor() {
    this.colors = readLook(this.element, STYLE_PROPERTIES);
    this.redraw();
  }

  /** Return the ids of the points of the cloud in view. */
  visiblePoints() {
    return this.hasCloud && this.grid ? this.grid.inside(this.view.rectangle, this.drawn) : [];
  }

  /** Return the ids of the candidates for labels, the most frequent words first. */
  visible() {
    if (!this.hasCloud) return [];
    const { places, drawn, view } = this;
    const { left, right, bottom, top } = view.rectangle;
    const last = view.zoom < LABEL_ZOOM ? Math.min(FIRST_LABELED, drawn) : drawn;
    const found = [];
    for (let id = 0; id < last && found.length < FIRST_LABELED; id += 1) {
      const [x, y] = [places[2 * id], places[2 * id + 1]];
      if (x >= left && x <= right && y >= bottom && y <= top) found.push(id);
    }
    return found;
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.ratio) return;
    const { view, ratio } = this;
    this.cloud.draw({ view, ratio, size: this.pointSize, count: this.drawn, ink: rgbaOf(this.colors.cloud) });
    const elapsed = (performance.now() - this.shownAt) / ANIMATION_TIME;
    const age = this.reducedMotion.matches ? 1 : Math.min(1, elapsed);
    if (this.active && !this.active.word) this.active.word = this.words.get(this.active.id);
    this.labeled = this.drawOverlay(this.overlay, ratio, age);
    this.onShown(this.labeled);
    if (age < 1) this.redraw();
  }

  /** Draw everything but the cloud; return the words that got a label. */
  drawOverlay(overlay, ratio, age = 1) {
    const { view, active } = this;
    overlay.begin(view, ratio, this.colors);
    const named = drawFigure(overlay, view, this.figure, { active, age });
    const around = drawWords(overlay, view, this.visible(), {
      placeOf: (id) => this.placeOf(id), wordOf: (id) => this.words.get(id),
      named: new Set(this.placed().map(({ word }) => word)), active,
    });
    return [...named, ...around];
  }
}
