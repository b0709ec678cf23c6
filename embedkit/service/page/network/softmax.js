// Softmax of five scores, and the loss for the true label.

import { byId, make } from "../shared/dom.js";
import { LOSSES, softmax } from "./dense.js";
import { curve } from "./svg.js";
import { number, percent } from "./text.js";

const SCORES = [5, 4, 3, 2, 1];
const LIMIT = 20; // of a score
const LARGEST_LOSS = 6; // on the picture

let scores = [...SCORES];
let truth = 0;

/** Build the figure. */
export function startSoftmax() {
  byId("scores").addEventListener("click", () => {
    scores = [...SCORES];
    truth = 0;
    build();
  });
  build();
}

function build() {
  const heads = ["label", "score", "e^score", "probability", "true"];
  const rows = scores.map((score, place) => {
    const name = `label ${place + 1}`;
    const field = make("input", { type: "number", min: -LIMIT, max: LIMIT, step: "any", value: score, "aria-label": `Score of ${name}` });
    field.addEventListener("input", () => {
      const isValid = field.value !== "" && Math.abs(field.valueAsNumber) <= LIMIT;
      field.setAttribute("aria-invalid", String(!isValid));
      if (!isValid) return;
      scores[place] = field.valueAsNumber;
      show();
    });
    const choice = make("input", { type: "radio", name: "truth", checked: place === truth, "aria-label": `${name} is true` });
    choice.addEventListener("change", () => {
      truth = place;
      show();
    });
    return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, field),
      make("td", { className: "power" }), make("td", { className: "share" },
        make("span", {}), make("div", { className: "bar" })), make("td", {}, make("label", { className: "pick" }, choice)));
  });
  byId("softmax").replaceChildren(make("caption", { className: "hidden" }, "Softmax of five scores"),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows),
    make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "sum"), make("td"),
      make("td", { className: "power" }), make("td", {}, "1"), make("td"))));
  show();
}

function show() {
  const shares = softmax(scores);
  const powers = scores.map(Math.exp);
  const cells = [...byId("softmax").querySelectorAll(".power")];
  [...powers, powers.reduce((sum, power) => sum + power, 0)].forEach((power, place) => {
    cells[place].textContent = number(power);
  });
  for (const [place, cell] of byId("softmax").querySelectorAll(".share").entries()) {
    cell.firstChild.textContent = percent(shares[place]);
    cell.lastChild.style.setProperty("--length", shares[place]);
  }
  const { loss } = LOSSES["negative log-likelihood"](scores, truth);
  const points = Array.from({ length: 200 }, (_, step) => [(step + 1) / 200, -Math.log((step + 1) / 200)]);
  const text = `−log ${percent(shares[truth])} = ${number(loss, 4)}`;
  byId("log").replaceChildren(curve({
    points: [[Math.exp(-LARGEST_LOSS), LARGEST_LOSS], ...points], x: [0, 1], y: [0, LARGEST_LOSS],
    dots: shares.map((share, place) => ({ x: share, y: -Math.log(share), isChosen: place === truth })),
    label: `Curve of −log p for probabilities p from 0 to 1, with a dot for each label. Label ${truth + 1} is true: ${text}.`,
    across: "probability", upward: "loss",
  }));
  byId("log-text").textContent = `Label ${truth + 1} is true, so the loss is ${text}. A probability of 1 would cost 0; the closer to 0 it is, the larger the loss.`;
}
