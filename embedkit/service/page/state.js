// The state of the page and its address: a link reproduces the view.

import { debounced } from "./debounce.js";

const DELAY = 250; // milliseconds
const METRICS = ["cosine", "l2", "dot"];
const NUMBERS = [5, 10, 20, 50];
const AXES = ["vocabulary", "words", "pair"];
const STEPS = [0, 1, 2, 3, 4, 5]; // 0: no step of the lesson is shown

/**
 * Read the state from the address.
 *
 * {expression, k, metric}: the question; {axes, axis, view}: the map, where axis is the two words of
 * the axes "pair", and view is null or {x, y, zoom}; {pairs}: the arrows shown instead of the
 * question, [[from, to], ...]; {step, words}: the lesson; {model, other}: the names of the
 * model, "" for the first one of the service, and of the one beside it, "" for none.
 */
function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const oneOf = (name, choices) => {
    const value = typeof choices[0] === "number" ? Number(given.get(name)) : given.get(name);
    return choices.includes(value) ? value : choices[0];
  };
  const list = (name, separator) => (given.get(name) ?? "").split(separator).filter(Boolean);
  const view = list("map", ",").map(Number);
  const isView = view.length === 3 && view.every(Number.isFinite) && view[2] > 0;
  const axis = list("axis", ",");
  return {
    expression: given.get("q") ?? "",
    k: given.has("k") ? oneOf("k", NUMBERS) : 10,
    metric: oneOf("metric", METRICS),
    axes: oneOf("axes", AXES),
    axis: axis.length === 2 && axis[0] !== axis[1] ? axis : ["he", "she"],
    view: isView ? { x: view[0], y: view[1], zoom: view[2] } : null,
    pairs: list("pairs", ",").map((pair) => pair.split(":")).filter((pair) => pair.length === 2),
    words: list("words", ","),
    step: oneOf("step", STEPS),
    model: given.get("model") ?? "",
    other: given.get("other") ?? "",
  };
}

function asHash(state) {
  const { x, y, zoom } = state.view ?? {};
  const parts = {
    q: state.expression,
    k: state.k === 10 ? "" : state.k,
    metric: state.metric === METRICS[0] ? "" : state.metric,
    axes: state.axes === AXES[0] ? "" : state.axes,
    axis: state.axes === "pair" ? state.axis.join() : "",
    pairs: state.pairs.map((pair) => pair.join(":")).join(),
    words: state.words.join(),
    step: state.step || "",
    model: state.model,
    other: state.other,
    map: state.view ? [x, y, zoom].map((value) => Number(value.toPrecision(6))).join() : "",
  };
  const parameters = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ""));
  return parameters.size ? `#${parameters}` : "";
}

/** The state of the page, and the address that follows it. */
export class Address {
  constructor() {
    this.state = readState();
    this.isTyping = false;
    this.method = "replaceState";
    // Browsers reject an address that changes on every key press and frame.
    this.write = debounced(() => this.writeNow(), DELAY);
  }

  /** Change the state with a new history entry. */
  step(change) {
    this.state = { ...this.state, ...change };
    this.isTyping = false;
    this.method = "pushState";
    this.writeNow();
  }

  /** Change the state without a new history entry. */
  adjust(change) {
    this.state = { ...this.state, ...change };
    this.write();
  }

  /** Keep the typed question as a history entry of its own, before more is typed. */
  settle() {
    this.writeNow();
    this.isTyping = false;
  }

  /** Change the expression while typing: one history entry for all of it, until it settles. */
  type(expression) {
    if (!this.isTyping) this.method = "pushState";
    this.isTyping = true;
    this.adjust({ expression, view: null, pairs: [] });
  }

  /** Read the state from the address after the back or forward button. */
  read() {
    this.write.cancel();
    this.state = readState();
    this.isTyping = false;
  }

  writeNow() {
    this.write.cancel();
    const hash = asHash(this.state);
    if (hash !== location.hash) history[this.method](null, "", hash || location.pathname);
    this.method = "replaceState";
  }
}
