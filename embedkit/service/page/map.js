// The map: the cloud of all words, the figure of the question, and what is told of them.

import { Cloud } from "./cloud.js";
import { byId, make } from "./dom.js";
import { listen } from "./gestures.js";
import { boundsOf, Grid } from "./grid.js";
import { Overlay } from "./overlay.js";
import { drawFigure, drawWords, room, shares } from "./scene.js";
import { View } from "./view.js";

const FIRST_DRAWN = 16_000; // points at zoom 1; four times as many at zoom 2, and so on
const REACH = 14; // pixels from a pointer to the word it means
const FLIGHT = 450; // milliseconds
const CLOSE = 2; // the zoom from which only words in sight are looked through for labels
const FIRST_LABELLED = 5000;
// What the drawing takes from the page's style, by the names of its custom properties.
const STYLE = ["paper", "ink", "label", "accent", "answer", "line", "cloud", "serif", "sans"];
const NOTHING = { terms: [], answers: [], target: null, arrows: [], sides: [] };

export class WordMap {
  /** `words` gives the word of an id; `explore(word)`, `moved(view)`, `shown(words)` are told. */
  constructor({ words, explore, moved, shown }) {
    this.element = byId("map");
    this.words = words;
    this.explore = explore;
    this.tellMoved = moved;
    this.tellShown = shown;
    this.places = new Float32Array(0);
    this.figure = NOTHING;
    this.hasCloud = true;
    this.told = null;
    this.labelled = [];
    this.born = 0;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.overlay = new Overlay(this.element.querySelector(".labels"));
    this.view = new View({ left: -1, right: 1, bottom: -1, top: 1 });
    this.grid = null;
    try {
      this.cloud = new Cloud(this.element.querySelector(".cloud"));
    } catch {
      this.note("This browser shows no WebGL 2, so only the words of the question are drawn.");
    }
    listen(this.element, this);
    new ResizeObserver(() => this.resize()).observe(this.element);
    document.documentElement.addEventListener("theme", () => this.recolour());
    this.recolour();
  }

  /** Take the places of the whole vocabulary, x0 y0 x1 y1 ..., the most frequent word first. */
  fill(places) {
    this.places = places;
    this.bounds = boundsOf(places);
    this.grid = new Grid(places, this.bounds);
    this.cloud?.fill(places);
    if (this.hasCloud) this.view.fit(this.bounds);
    this.redraw();
  }

  /** Show a question; on axes of its own the cloud, which lies on others, is left out. */
  show(figure, { hasCloud, view }) {
    this.figure = figure;
    this.hasCloud = hasCloud;
    this.born = performance.now();
    this.tell(null);
    byId("card").hidden = true;
    const placed = this.placed();
    if (!hasCloud && placed.length) this.view.fit(room(placed));
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

  /** Return the words and the end of the question, all that has a place. */
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
    if (this.calm.matches) return this.look(to);
    cancelAnimationFrame(this.flight);
    const from = { x: this.view.x, y: this.view.y, zoom: this.view.zoom };
    const start = performance.now();
    const step = (now) => {
      const time = Math.min(1, (now - start) / FLIGHT);
      const share = 1 - (1 - time) ** 3;
      const zoom = from.zoom * (to.zoom / from.zoom) ** share;
      this.view.look(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share, zoom);
      this.redraw();
      if (time < 1) this.flight = requestAnimationFrame(step);
    };
    this.flight = requestAnimationFrame(step);
  }

  /** The view was moved by hand. */
  moved() {
    cancelAnimationFrame(this.flight);
    byId("card").hidden = true;
    this.tellMoved({ x: this.view.x, y: this.view.y, zoom: this.view.zoom });
    this.redraw();
  }

  /** Go to the question or to all words, as the buttons say. */
  goTo(where) {
    const placed = this.placed();
    this.fly(where === "figure" && placed.length ? this.view.around(placed, 400) : this.whole());
    this.tellMoved(null);
  }

  zoomBy(factor) {
    this.view.zoomAt(factor);
    this.moved();
  }

  get drawn() {
    const { zoom } = this.view;
    return this.hasCloud ? Math.min(this.places.length / 2, Math.round(FIRST_DRAWN * zoom ** 2)) : 0;
  }

  /** Pixels across a point: larger when few are drawn, and when one looks closely. */
  get pointSize() {
    const few = Math.min(1.6, (FIRST_DRAWN / (this.places.length / 2 || 1)) ** 0.3);
    return 2.2 * Math.max(1, few) * Math.min(2.4, this.view.zoom ** 0.3);
  }

  /** Return {word, id, x, y} of what lies under a pixel, or null. */
  at(left, top) {
    const [x, y] = this.view.toPlace(left, top);
    let best = null;
    let least = REACH;
    for (const one of this.placed()) {
      const distance = Math.hypot(one.x - x, one.y - y) * this.view.scale;
      if (one.word && distance < least) [best, least] = [one, distance];
    }
    if (best || !this.hasCloud) return best;
    const id = this.grid?.nearest(x, y, REACH / this.view.scale, this.drawn) ?? -1;
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
    if (found?.word === this.told?.word && found?.id === this.told?.id) return;
    this.tell(found);
  }

  tell(found) {
    this.told = found;
    this.redraw();
  }

  /** Light up a word of the question, as the list of answers asks. */
  light(word) {
    this.tell(word && (this.placed().find((one) => one.word === word) ?? null));
  }

  async pick(left, top) {
    const found = this.at(left, top);
    byId("card").hidden = true;
    this.tell(found);
    if (!found) return;
    const word = found.word ?? (await this.words.find(found.id));
    if (word && this.told === found) this.openCard({ ...found, word });
  }

  openCard(found) {
    const card = byId("card");
    const button = (text, label, operator) => make("button", {
      type: "button", "aria-label": label,
      onclick: () => this.explore(found.word, operator),
    }, text);
    card.replaceChildren(
      make("strong", {}, found.word),
      make("span", {}, found.id === undefined ? "" : `no. ${(found.id + 1).toLocaleString("en")}`),
      button("near", `Words near ${found.word}`, ""),
      button("+", `Add ${found.word}`, "+"),
      button("−", `Subtract ${found.word}`, "-"));
    card.hidden = false;
    const [left, top] = this.view.toPixels(found.x, found.y);
    const [width, height] = [card.offsetWidth, card.offsetHeight];
    card.style.left = `${Math.max(4, Math.min(left - width / 2, this.view.width - width - 4))}px`;
    card.style.top = `${top > height + 16 ? top - height - 12 : top + 14}px`;
  }

  /** Act on a key that does not move the view; true if it means something. */
  press(key) {
    if (key === "0") this.goTo("all");
    else if (key === "f") this.goTo("figure");
    else if (key === "n" || key === "p") this.walk(key === "n" ? 1 : -1);
    else if (key === "Enter" && this.told?.word) this.explore(this.told.word, "");
    else if (key === "Escape") byId("card").hidden = true;
    else return false;
    return true;
  }

  walk(step) {
    const count = this.labelled.length;
    if (!count) return;
    const now = this.labelled.findIndex(({ word }) => word === this.told?.word);
    const next = this.labelled[now < 0 ? (step > 0 ? 0 : count - 1) : (now + step + count) % count];
    this.tell(next);
    byId("map-told").textContent = next.word;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of this.element.querySelectorAll("canvas")) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    Object.assign(this.view, { width, height });
    this.draw(); // at once: a canvas that was resized is empty
  }

  recolour() {
    const computed = getComputedStyle(this.element);
    this.style = Object.fromEntries(STYLE.map(
      (name) => [name, computed.getPropertyValue(`--${name}`).trim()]));
    this.redraw();
  }

  /** Return the ids that may be labelled, the most frequent words first. */
  visible() {
    if (!this.hasCloud || !this.grid) return [];
    if (this.view.zoom >= CLOSE) return this.grid.inside(this.view.rectangle, this.drawn);
    return Array.from({ length: Math.min(FIRST_LABELLED, this.drawn) }, (_, id) => id);
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.ratio) return;
    const { view, ratio } = this;
    this.cloud?.draw({
      centre: view, scale: view.scale, width: view.width, height: view.height, ratio,
      size: this.pointSize, count: this.drawn, ink: shares(this.style.cloud),
    });
    this.overlay.begin(view, ratio, this.style);
    const age = this.calm.matches ? 1 : Math.min(1, (performance.now() - this.born) / FLIGHT);
    if (this.told && !this.told.word) this.told.word = this.words.get(this.told.id);
    const named = drawFigure(this.overlay, view, this.figure, { told: this.told, age });
    const around = drawWords(this.overlay, view, this.visible(), {
      placeOf: (id) => this.placeOf(id), wordOf: (id) => this.words.get(id),
      named: new Set(this.placed().map(({ word }) => word)), told: this.told,
    });
    this.labelled = [...named, ...around];
    this.tellShown(this.labelled);
    if (age < 1) this.redraw();
  }
}
