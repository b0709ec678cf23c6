// Training, stage by stage: one pair of inputs and target at a time, without a page.

import { LOSSES, backward, descend, forward, generator, randomNetwork, total } from "./dense.js";

export const STAGES = ["forward", "loss", "gradient", "step"];

const MAX_POINTS = 400; // of the curve of losses

/** A network and the state of its training on data (see data.js); the first pair has passed forward. */
export class Training {
  constructor({ data, hidden, activation, rate, seed }) {
    Object.assign(this, { data, rate, random: generator(seed) });
    const sizes = [data.pairs[0].inputs.length, ...hidden, data.outputs.length];
    this.network = randomNetwork(sizes, activation, this.random);
    this.seen = 0; // steps taken
    this.order = []; // the pairs that follow, the next one last
    this.curve = []; // points [steps, mean loss]
    this.every = 1; // steps between two points
    this.stage = STAGES[0];
    this.begin();
    this.record();
  }

  /** Begin the next pair, in an order that is shuffled anew when all pairs were seen. */
  begin() {
    if (this.order.length === 0) this.order = this.shuffled();
    this.index = this.order.pop();
    this.pair = this.data.pairs[this.index];
    this.before = null; // the network before the step
    this.gradients = null;
    this.look();
  }

  look() {
    this.trace = forward(this.network, this.pair.inputs);
    Object.assign(this, LOSSES[this.data.loss](this.trace.values.at(-1), this.pair.target));
  }

  /** Take the next stage of this pair, or begin the next pair. */
  advance() {
    this.stage = STAGES[(STAGES.indexOf(this.stage) + 1) % STAGES.length];
    if (this.stage === "forward") this.begin();
    if (this.stage === "gradient") this.gradients = backward(this.network, this.trace, this.slopes);
    if (this.stage === "step") this.step();
  }

  step() {
    this.before = this.network;
    this.lossBefore = this.loss;
    this.network = descend(this.network, this.gradients, this.rate);
    this.seen += 1;
    this.look();
    if (this.seen % this.every === 0) this.record();
  }

  advanceToStep() {
    do this.advance(); while (this.stage !== "step");
  }

  /** Tell whether the loss or a weight is infinite, or not a number. */
  get hasDiverged() {
    const { weights, biases } = this.network;
    return ![this.loss, ...weights.flat(2), ...biases.flat()].every(Number.isFinite);
  }

  /** The outputs of the last layer for each pair. */
  get outputs() {
    return this.data.pairs.map(({ inputs }) => forward(this.network, inputs).values.at(-1));
  }

  /** The mean loss over all pairs. */
  get meanLoss() {
    const { pairs, loss } = this.data;
    return total(this.outputs.map((output, row) => LOSSES[loss](output, pairs[row].target).loss)) / pairs.length;
  }

  /** The hidden layers, counted from 1, whose neurons are all 0 for every pair. */
  get deadLayers() {
    const traces = this.data.pairs.map(({ inputs }) => forward(this.network, inputs).values);
    return this.network.biases.slice(1).map((_, layer) => layer + 1)
      .filter((layer) => traces.every((values) => values[layer].every((value) => value === 0)));
  }

  record() {
    this.curve.push([this.seen, this.meanLoss]);
    if (this.curve.length <= MAX_POINTS) return;
    this.curve = this.curve.filter((_, place) => place % 2 === 0);
    this.every *= 2;
  }

  shuffled() {
    const drawn = this.data.pairs.map((_, index) => [this.random(), index]);
    return drawn.sort(([one], [other]) => one - other).map(([, index]) => index);
  }
}
