// What the page shows, as an address: a link reproduces the view.

const METRICS = ["cosine", "l2", "dot"];
const NUMBERS = [5, 10, 20, 50];
const AXES = ["vocabulary", "words"];

/** Return {expression, k, metric, axes, view} as the address says; view is null or {x, y, zoom}. */
export function readState() {
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

/** Put the state into the address: "push" makes a step that the back button undoes. */
export function writeState(state, how) {
  const said = new URLSearchParams();
  if (state.expression) said.set("q", state.expression);
  if (state.k !== 10) said.set("k", state.k);
  if (state.metric !== METRICS[0]) said.set("metric", state.metric);
  if (state.axes !== AXES[0]) said.set("axes", state.axes);
  if (state.view) {
    const { x, y, zoom } = state.view;
    said.set("map", [x, y, zoom].map((value) => Number(value.toPrecision(6))).join());
  }
  const hash = `#${said}`;
  if (hash === location.hash || (hash === "#" && !location.hash)) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", hash === "#" ? location.pathname : hash);
}
