// What the page shows, as an address: a link reproduces the view.

import { debounced } from "./dom.js";

const REST = 250; // milliseconds
const METRICS = ["cosine", "l2", "dot"];
const NUMBERS = [5, 10, 20, 50];
const AXES = ["vocabulary", "words"];

/** Return {expression, k, metric, axes, view} as the address says; view is null or {x, y, zoom}. */
function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const among = (name, known) => {
    const value = typeof known[0] === "number" ? Number(given.get(name)) : given.get(name);
    return known.includes(value) ? value : null;
  };
  const view = (given.get("map") ?? "").split(",").map(Number);
  const isView = view.length === 3 && view.every(Number.isFinite) && view[2] > 0;
  return {
    expression: given.get("q") ?? "",
    k: among("k", NUMBERS) ?? 10,
    metric: among("metric", METRICS) ?? METRICS[0],
    axes: among("axes", AXES) ?? AXES[0],
    view: isView ? { x: view[0], y: view[1], zoom: view[2] } : null,
  };
}

function asHash(state) {
  const said = new URLSearchParams();
  if (state.expression) said.set("q", state.expression);
  if (state.k !== 10) said.set("k", state.k);
  if (state.metric !== METRICS[0]) said.set("metric", state.metric);
  if (state.axes !== AXES[0]) said.set("axes", state.axes);
  if (state.view) {
    const { x, y, zoom } = state.view;
    said.set("map", [x, y, zoom].map((value) => Number(value.toPrecision(6))).join());
  }
  return said.size ? `#${said}` : "";
}

/** The state of the page and its address, which follows it. */
export class Address {
  constructor() {
    this.state = readState();
    this.isTyping = false;
    this.how = "replaceState";
    // Browsers refuse addresses that change with every key and every frame.
    this.write = debounced(() => this.writeNow(), REST);
  }

  /** Change the state, as a step that the back button undoes. */
  step(change) {
    this.state = { ...this.state, ...change };
    this.isTyping = false;
    this.how = "pushState";
    this.writeNow();
  }

  /** Change the state without such a step. */
  adjust(change) {
    this.state = { ...this.state, ...change };
    this.write();
  }

  /** Take what is being typed: all of it until the next step is one. */
  type(expression) {
    if (!this.isTyping) this.how = "pushState";
    this.isTyping = true;
    this.adjust({ expression, view: null });
  }

  /** Take the state from the address, which the back button has changed. */
  read() {
    this.write.cancel();
    this.state = readState();
    this.isTyping = false;
  }

  writeNow() {
    this.write.cancel();
    const hash = asHash(this.state);
    if (hash !== location.hash) history[this.how](null, "", hash || location.pathname);
    this.how = "replaceState";
  }
}
