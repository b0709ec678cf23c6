// What happens, in words and numbers: in one neuron, and in the stages of a pair.

import { make } from "../shared/dom.js";
import { ACTIVATIONS, total } from "./dense.js";
import { curve, number } from "./figures.js";
import { neuronName } from "./picture.js";
import { STAGES } from "./training.js";

const LISTED = 10; // inputs, those with the largest products
const ACTIVATED = {
  relu: ["ReLU", "ReLU: set any negatives to 0"],
  tanh: ["tanh", "tanh squeezes any number into −1 to 1"],
  sigmoid: ["sigmoid", "The sigmoid 1 / (1 + e^−sum) squeezes any number into 0 to 1"],
};

/** Return the heading and the elements that work out a neuron. */
export function workedOut(training, layer, unit) {
  const { data, network, trace, pair, index } = training;
  const name = neuronName(training, layer, unit);
  if (layer === 0) return [`Input ${name}`, make("p", {}, `${data.inputs[unit].explain(pair.inputs[unit], index)}.`)];
  const sum = trace.sums[layer - 1][unit];
  const table = tableOf(...lines(training, layer, unit, sum));
  const slope = make("p", {}, slopeOf(training, layer, unit));
  if (layer === network.weights.length) {
    const text = `No activation: the sum ${number(sum)} is the output. ${data.last(trace.values.at(-1), unit)}`;
    return [`Output ${name}`, table, make("p", {}, text), slope];
  }
  const result = `${number(sum)} becomes ${number(trace.values[layer][unit])}.`;
  return [`Neuron ${unit + 1} of hidden layer ${layer}`, table, make("p", {}, `${ACTIVATED[network.activation][1]}. ${result}`),
    slope, bend(network.activation, sum, result)];
}

/** Work out the gradient of a neuron's sum, from the outputs back, before the step changes the network. */
function slopeOf(training, layer, unit) {
  const { gradients, before } = training;
  if (!gradients || before) return "";
  const written = gradients.biases[layer] ? throughWeights(training, layer, unit) : atOutput(training, unit);
  return `The gradient of the sum: ${written} = ${number(gradients.biases[layer - 1][unit])}. Times an input's value, it is the gradient of that weight.`;
}

function throughWeights({ network, trace, gradients }, layer, unit) {
  const products = network.weights[layer][unit].map((weight, next) => `${number(weight)} × ${inBrackets(gradients.biases[layer][next], 2)}`);
  return `each weight to the next layer × the gradient there, × the slope of ${ACTIVATED[network.activation][0]} = (${
    products.join(" + ")}) × ${number(ACTIVATIONS[network.activation].slope(trace.values[layer][unit]))}`;
}

function atOutput({ data, trace, pair: { target } }, unit) {
  const outputs = trace.values.at(-1);
  if (!data.shares) return `2 × (output − target) = 2 × (${number(outputs[0])} − ${inBrackets(target[0], 2)})`;
  const label = unit + data.classes.length - outputs.length;
  return `probability − (1 if true, else 0) = ${number(data.shares(outputs)[label])} − ${+(label === target)}`;
}

/** Return the headings and the rows of the table of a neuron. */
function lines(training, layer, unit, sum) {
  const { network, trace, gradients, before, rate } = training;
  const matrix = layer - 1;
  const columns = (weight, part) => (gradients
    ? [number(part(gradients)), number(before ? part(before) : weight - rate * part(gradients))] : []);
  const empty = gradients ? ["", ""] : [];
  const inputs = network.weights[matrix].map((row, input) => {
    const value = trace.values[matrix][input];
    const product = value * row[unit];
    const cells = [neuronName(training, matrix, input), number(value), `× ${number(row[unit])}`, number(product)];
    return { product, cells: [...cells, ...columns(row[unit], ({ weights }) => weights[matrix][input][unit])] };
  });
  const listed = [...inputs];
  if (inputs.length > LISTED) listed.sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
  const others = listed.splice(LISTED);
  const rest = total(others.map(({ product }) => product));
  const bias = network.biases[matrix][unit];
  return [
    ["input", "value", "× weight", "= product", ...(gradients ? ["gradient", before ? "weight before" : "next weight"] : [])],
    [
      ...listed.map(({ cells }) => cells),
      ...(others.length ? [[`the other ${others.length}`, "", "", number(rest), ...empty]] : []),
      ["bias", "", "", number(bias), ...columns(bias, ({ biases }) => biases[matrix][unit])],
      ["sum", "", "", number(sum), ...empty],
    ],
  ];
}

function tableOf(heads, rows) {
  return make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map(([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name),
      ...cells.map((cell) => make("td", {}, cell))))));
}

/** Return the curve of an activation, with a dot at a sum. */
function bend(activation, sum, result) {
  const [name] = ACTIVATED[activation];
  const reach = Number.isFinite(sum) ? Math.max(4, Math.ceil(Math.abs(sum))) : 4;
  const at = (x) => [x, ACTIVATIONS[activation].value(x)];
  return curve({
    points: Array.from({ length: 81 }, (_, step) => at(reach * (step / 40 - 1))), x: [-reach, reach], y: [-1, name === "ReLU" ? reach : 1],
    dots: [at(sum)], label: `Curve of ${name}: ${result}`, across: "sum", upward: name,
  });
}

const inBrackets = (value, digits = 3) => (value < 0 ? `(${number(value, digits)})` : number(value, digits));

/** For each stage its title, its explanation, and its numbers. */
const TEXTS = {
  forward: ["Forward", "Each neuron adds up its inputs times its weights, and its bias.",
    ({ data, trace, pair, before }) =>
      `${before ? "After the step, the" : "The"} network says ${data.answer(trace.values.at(-1))}. True: ${data.truth(pair)}.`],
  loss: ["Loss", "One number that says how wrong the answer is. 0 is perfect.",
    ({ data, trace, pair, loss, before, lossBefore }) => {
      if (before) return `The loss was ${number(lossBefore, 4)}.`;
      const outputs = trace.values.at(-1);
      if (!data.shares) return `Scaled, the true ${data.truth(pair)} is ${number(pair.target[0], 3)}. (output − target)² = (${number(outputs[0], 3)} − ${inBrackets(pair.target[0])})² = ${number(loss, 4)}`;
      return `−log of the probability of ${data.truth(pair)}, the true class: −log ${
        number(data.shares(outputs)[pair.target], 4)} = ${number(loss, 4)}`;
    }],
  gradient: ["Gradient", "For each weight, from the output back to the inputs: how fast the loss would rise with it.",
    (training) => {
      const { gradient, from, to } = steepest(training);
      return gradient === 0 ? "All are 0: the weights learn nothing from this pair."
        : `The largest gradient belongs to the weight from ${from} to ${to}: ${number(gradient)}.`;
    }],
  step: ["Step", "Each weight moves the other way: weight − learning rate × gradient.",
    (training) => {
      const { gradient, layer, input, unit } = steepest(training);
      const { before, rate, loss, lossBefore } = training;
      const old = before.weights[layer][input][unit];
      return `${number(old, 3)} − ${rate} × ${inBrackets(gradient)} = ${number(old - rate * gradient, 3)}. The loss of this pair ${
        loss <= lossBefore ? "falls" : "rises, as the step was too long,"} from ${number(lossBefore, 4)} to ${number(loss, 4)}.`;
    }],
};

/** Return the list items of the stages; those that were taken have their numbers. */
export function stageItems(training) {
  const reached = STAGES.indexOf(training.stage);
  return STAGES.map((stage, place) => {
    const [title, text, numbers] = TEXTS[stage];
    const item = make("li", {}, make("h3", {}, `${place + 1}. ${title}`), make("p", { className: "unit" }, text));
    if (place <= reached) item.append(make("p", {}, numbers(training)));
    if (place === reached) item.setAttribute("aria-current", "step");
    return item;
  });
}

/** Return the largest gradient of a weight, and where it is. */
function steepest(training) {
  let best = { gradient: 0, layer: 0, input: 0, unit: 0 };
  training.gradients.weights.forEach((matrix, layer) => matrix.forEach((row, input) => row.forEach((gradient, unit) => {
    if (Math.abs(gradient) > Math.abs(best.gradient)) best = { gradient, layer, input, unit };
  })));
  const { layer, input, unit } = best;
  return { ...best, from: neuronName(training, layer, input), to: neuronName(training, layer + 1, unit) };
}
