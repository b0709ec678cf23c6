// The four stages of a pair, in words and numbers.

import { make } from "../shared/dom.js";
import { neuronName } from "./picture.js";
import { number, percent } from "./text.js";
import { STAGES } from "./training.js";

const STAGE_TEXTS = {
  forward: ["Forward", "Each neuron multiplies its inputs by its weights, adds its bias, and passes the result on."],
  loss: ["Loss", "One number says how wrong the answer is. 0 is perfect."],
  gradient: ["Gradient", "For each weight: how much the loss would rise if the weight rose a little. It is worked out from the "
    + "output back to the inputs."],
  step: ["Step", "Each weight moves a little against its gradient: new weight = weight − learning rate × gradient."],
};

/** Return the list items of the stages; those already taken have their numbers. */
export function stageItems(training) {
  const reached = STAGES.indexOf(training.stage);
  return STAGES.map((stage, place) => {
    const [title, text] = STAGE_TEXTS[stage];
    const item = make("li", {}, make("h3", {}, `${place + 1}. ${title}`), make("p", { className: "unit" }, text));
    if (place <= reached) item.append(make("p", { className: "worked" }, numbers[stage](training)));
    if (place === reached) item.setAttribute("aria-current", "step");
    return item;
  });
}

/** Put the present pair into words. */
export function pairText({ data, pair }) {
  return [make("b", {}, pair.name), ` → ${data.truth(pair)}`];
}

const numbers = {
  forward: ({ data, trace, pair, stage }) =>
    `${stage === "step" ? "Now the" : "The"} network says ${data.answer(trace.values.at(-1))}. True is ${data.truth(pair)}.`,
  loss: ({ data, trace, pair, loss, stage, before, lossBefore }) => {
    if (before && stage === "step") return `The loss was ${number(lossBefore, 4)}.`;
    const outputs = trace.values.at(-1);
    if (!data.shares) {
      return `(output − target)² = (${number(outputs[0])} − ${inBrackets(pair.target[0])})² = ${number(loss, 4)}, in scaled units`;
    }
    return `−log of the probability of ${data.classes[pair.target]}, the true class: −log ${
      percent(data.shares(outputs)[pair.target])} = ${number(loss, 4)}`;
  },
  gradient: (training) => {
    const steepest = steepestWeight(training);
    if (steepest.gradient === 0) return "All gradients of the weights are 0: from this pair, the weights learn nothing.";
    return `The steepest is that of the weight from ${steepest.from} to ${steepest.to}: ${number(steepest.gradient)}.`;
  },
  step: (training) => {
    const { gradient, layer, input, unit } = steepestWeight(training);
    const old = training.before.weights[layer][input][unit];
    const { lossBefore, loss, rate } = training;
    const change = loss <= lossBefore ? "The loss of this pair falls" : "The step was too long, so the loss of this pair rises";
    return `${number(old)} − ${rate} × ${inBrackets(gradient)} = ${number(old - rate * gradient)}. ${change} from ${
      number(lossBefore, 4)} to ${number(loss, 4)}.`;
  },
};

const inBrackets = (value) => (value < 0 ? `(${number(value)})` : number(value));

/** Return the weight with the largest gradient. */
function steepestWeight(training) {
  let best = { gradient: 0, layer: 0, input: 0, unit: 0 };
  training.gradients.weights.forEach((matrix, layer) => matrix.forEach((row, input) => row.forEach((gradient, unit) => {
    if (Math.abs(gradient) > Math.abs(best.gradient)) best = { gradient, layer, input, unit };
  })));
  return {
    ...best,
    from: neuronName(training, best.layer, best.input),
    to: neuronName(training, best.layer + 1, best.unit),
  };
}
