// Softmax of five scores, and the loss for the true label.

import { byId, make } from "../shared/dom.js";
import { LOSSES, softmax, total as sum } from "./dense.js";
import { curve, number } from "./figures.js";

const SCORES = [5, 4, 3, 2, 1];
const LIMIT = 20; // of a score
const HIGHEST = 6; // loss on the curve
const CURVE = [Math.exp(-HIGHEST), ...Array.from({ length: 200 }, (_, step) => (step + 1) / 200)].map((share) => [share, -Math.log(share)]);

/** Build the figure. */
export function startSoftmax() {
  const scores = [...SCORES];
  let truth = 0;
  const rows = scores.map((score, place) => {
    const field = make("input", { type: "number", min: -LIMIT, max: LIMIT, step: "any", value: score, "aria-label": `Score of label ${place + 1}` });
    field.addEventListener("input", () => {
      const isValid = field.value !== "" && Math.abs(field.value) <= LIMIT;
      field.setAttribute("aria-invalid", String(!isValid));
      if (isValid) show(scores[place] = Number(field.value));
    });
    const choice = make("input", { type: "radio", name: "truth", checked: !place, "aria-label": `Label ${place + 1} is true` });
    choice.addEventListener("change", () => show(truth = place));
    return make("tr", {}, make("th", { scope: "row" }, `label ${place + 1}`), make("td", {}, field), make("td"),
      make("td", {}, make("span"), make("div", { className: "bar" })), make("td", {}, make("label", {}, choice)));
  });
  const total = make("td");
  const heads = ["label", "score", "e^score", "probability", "true"].map((head) => make("th", { scope: "col" }, head));
  byId("softmax").replaceChildren(make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows),
    make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "sum"), make("td"), total, make("td", {}, "1"), make("td"))));
  byId("scores").addEventListener("click", startSoftmax, { once: true });
  show();

  function show() {
    const shares = softmax(scores);
    const { loss } = LOSSES["negative log-likelihood"](scores, truth);
    const text = `−log ${number(shares[truth], 4)} = ${number(loss, 4)}`;
    total.textContent = number(sum(scores.map(Math.exp)));
    rows.forEach(({ cells }, place) => {
      cells[2].textContent = number(Math.exp(scores[place]));
      cells[3].firstChild.textContent = number(shares[place], 4);
      cells[3].lastChild.style.setProperty("--length", shares[place]);
    });
    const others = shares.filter((_, place) => place !== truth);
    byId("log").replaceChildren(curve({
      points: CURVE, x: [0, 1], y: [0, HIGHEST], dots: [shares[truth], ...others].map((share) => [share, -Math.log(share)]),
      label: `Curve of −log p, with a dot for each label; label ${truth + 1} is true: ${text}`, across: "probability p", upward: "loss, −log p",
    }));
    byId("log-text").textContent = `Label ${truth + 1} is true, so the loss is ${text}. A probability of 1 would give a loss of 0.`;
  }
}
