// The state of the page and its address: a link reproduces the view.

import { debounced } from "./debounce.js";

const DELAY = 250; // milliseconds
const METRICS = ["cosine", "l2", "dot"];
const NUMBERS = [5, 10, 20, 50];
const AXES = ["vocabulary", "words"];

/** Read {expression, k, metric, axes, view} from the address; view is null or {x, y, zoom}. */
function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const oneOf = (name, choices) => {
    const value = typeof choices[0] === "number" ? Number(given.get(name)) : given.get(name);
    return choices.includes(value) ? value : null;
  };
  const view = (given.get("map") ?? "").split(",").map(Number);
  const isView = view.length === 3 && view.every(Number.isFinite) && view[2] > 0;
  return {
    expression: given.get("q") ?? "",
    k: oneOf("k", NUMBERS) ?? 10,
    metric: oneOf("metric", METRICS) ?? METRICS[0],
    axes: oneOf("axes", AXES) ?? AXES[0],
    view: isView ? { x: view[0], y: view[1], zoom: view[2] } : null,
  };
}

function asHash(state) {
  const parameters = new URLSearchParams();
  if (state.expression) parameters.set("q", state.expression);
  if (state.k !== 10) parameters.set("k", state.k);
  if (state.metric !== METRICS[0]) parameters.set("metric", state.metric);
  if (state.axes !== AXES[0]) parameters.set("axes", state.axes);
  if (state.view) {
    const { x, y, zoom } = state.view;
    parameters.set("map", [x, y, zoom].map((value) => Number(value.toPrecision(6))).join());
  }
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
    this.adjust({ expression, view: null });
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
