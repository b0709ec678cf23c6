// One neuron worked out: weights times inputs plus bias, then the activation.

import { make } from "../shared/dom.js";
import { ACTIVATIONS } from "./dense.js";
import { neuronName } from "./picture.js";
import { curve } from "./svg.js";
import { number } from "./text.js";

const LISTED = 10; // inputs; of more, those with the largest products are listed
const ACTIVATED = {
  relu: (sum, value) => (sum < 0
    ? `ReLU sets any negatives to 0: ${number(sum)} becomes ${number(value)}.`
    : `ReLU sets any negatives to 0. ${number(sum)} is not negative, so it stays.`),
  tanh: (sum, value) => `tanh squeezes any number into −1 to 1: ${number(sum)} becomes ${number(value)}.`,
  sigmoid: (sum, value) => `The sigmoid 1 / (1 + e^−sum) squeezes any number into 0 to 1: ${number(sum)} becomes ${number(value)}.`,
};
const NAMES = { relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid" };

/** Return the heading and the elements that work out a neuron. */
export function workedOut(training, layer, unit) {
  const { data, network, trace, pair, index } = training;
  const name = neuronName(training, layer, unit);
  if (layer === 0) {
    return { title: `Input ${name}`, parts: [make("p", {}, data.inputs[unit].explain(pair.inputs[unit], index))] };
  }
  const isLast = layer === network.weights.length;
  const sum = trace.sums[layer - 1][unit];
  const parts = [make("div", { className: "frame", role: "region", "aria-label": "Weights times inputs, table", tabIndex: 0 },
    table(training, layer, unit, sum))];
  if (isLast) {
    parts.push(make("p", {}, `The last layer has no activation: ${number(sum)} is the output. ${data.last(trace.values.at(-1), unit)}`));
  } else {
    parts.push(make("p", {}, ACTIVATED[network.activation](sum, trace.values[layer][unit])), bend(network.activation, sum));
  }
  return { title: isLast ? `Output ${name}` : name[0].toUpperCase() + name.slice(1), parts };
}

function table(training, layer, unit, sum) {
  const { network, trace, gradients, before, stage, rate } = training;
  const isStepped = stage === "step";
  const columns = (weight, gradient, old) => {
    if (!gradients) return [];
    return [number(gradient), number(isStepped ? old : weight - rate * gradient)];
  };
  const rows = network.weights[layer - 1].map((row, input) => {
    const value = trace.values[layer - 1][input];
    return {
      name: neuronName(training, layer - 1, input),
      product: value * row[unit],
      cells: [number(value), `× ${number(row[unit])}`, number(value * row[unit]),
        ...columns(row[unit], gradients?.weights[layer - 1][input][unit], before?.weights[layer - 1][input][unit])],
    };
  });
  const listed = rows.length > LISTED
    ? [...rows].sort((one, other) => Math.abs(other.product) - Math.abs(one.product)).slice(0, LISTED) : rows;
  const rest = rows.filter((row) => !listed.includes(row));
  const bias = network.biases[layer - 1][unit];
  const extra = gradients ? ["", ""] : [];
  const lines = listed.map(({ name, cells }) => line(name, cells));
  if (rest.length) {
    const total = rest.reduce((all, { product }) => all + product, 0);
    lines.push(line(`the other ${rest.length}`, ["", "", number(total), ...extra]));
  }
  lines.push(line("bias", ["", "", number(bias), ...columns(bias, gradients?.biases[layer - 1][unit], before?.biases[layer - 1][unit])]));
  const last = line("sum", ["", "", number(sum), ...extra]);
  last.className = "sum";
  const heads = ["value", "× weight", "= product", ...(gradients ? ["gradient", isStepped ? "weight before" : "next weight"] : [])];
  return make("table", { className: "work" }, make("caption", { className: "hidden" }, "Weights times inputs, plus bias"),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "input"),
      ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...lines, last));
}

function line(name, cells) {
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell)));
}

/** The curve of an activation, with a dot at a sum. */
function bend(activation, sum) {
  const reach = Number.isFinite(sum) ? Math.max(4, Math.ceil(Math.abs(sum))) : 4;
  const { value } = ACTIVATIONS[activation];
  const points = Array.from({ length: 81 }, (_, step) => {
    const x = reach * (step / 40 - 1);
    return [x, value(x)];
  });
  const y = { relu: [-1, reach], tanh: [-1, 1], sigmoid: [0, 1] }[activation];
  const label = `Curve of ${NAMES[activation]}: the sum ${number(sum)} becomes ${number(value(sum))}.`;
  return curve({
    points, x: [-reach, reach], y, dots: [{ x: sum, y: value(sum), isChosen: true }], label, across: "sum", upward: NAMES[activation],
  });
}
