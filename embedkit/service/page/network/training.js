// Training, stage by stage: one pair of inputs and target at a time, without the page.

import { LOSSES, backward, descend, forward, generator, isFinite, randomNetwork } from "./dense.js";

/** The stages of a pair, in order. */
export const STAGES = ["forward", "loss", "gradient", "step"];

const MAX_POINTS = 400; // of the curve of losses

/**
 * A network and the state of its training.
 *
 * `data` has pairs of {inputs, target}, the name of its `loss`, and the names of its `outputs`.
 * After construction, the first pair has passed forward through the untrained network.
 */
export class Training {
  constructor({ data, hidden, activation, rate, seed }) {
    this.data = data;
    this.rate = rate;
    this.random = generator(seed);
    const sizes = [data.pairs[0].inputs.length, ...hidden, data.outputs.length];
    this.network = randomNetwork(sizes, activation, this.random);
    this.seen = 0; // pairs whose step was taken
    this.order = [];
    this.curve = [];
    this.every = 1; // pairs between two points of the curve
    this.begin();
    this.record();
  }

  /** Tell whether the loss or a weight is infinite, or not a number. */
  get hasDiverged() {
    return !isFinite(this.network) || !Number.isFinite(this.loss);
  }

  /** Take the next pair, in an order that is shuffled anew when all pairs were seen. */
  begin(chosen = null) {
    if (chosen === null && this.order.length === 0) this.order = this.shuffled();
    this.index = chosen ?? this.order.pop();
    this.pair = this.data.pairs[this.index];
    this.before = null; // the network before the step
    this.gradients = null;
    this.stage = "forward";
    this.look();
  }

  look() {
    this.trace = forward(this.network, this.pair.inputs);
    const { loss, slopes } = LOSSES[this.data.loss](this.trace.values.at(-1), this.pair.target);
    Object.assign(this, { loss, slopes });
  }

  /** Take the next stage of this pair, or begin the next pair. */
  advance() {
    const next = STAGES[(STAGES.indexOf(this.stage) + 1) % STAGES.length];
    if (next === "forward") return this.begin();
    if (next === "gradient") this.gradients = backward(this.network, this.trace, this.slopes);
    if (next === "step") {
      this.before = this.network;
      this.network = descend(this.network, this.gradients, this.rate);
      this.lossBefore = this.loss;
      this.seen += 1;
      this.look();
      if (this.seen % this.every === 0) this.record();
    }
    this.stage = next;
  }

  /** Take all stages of a pair up to its step. */
  step() {
    do this.advance(); while (this.stage !== "step");
  }

  /** The mean loss over all pairs. */
  get meanLoss() {
    const losses = this.data.pairs.map(({ inputs, target }) =>
      LOSSES[this.data.loss](forward(this.network, inputs).values.at(-1), target).loss);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }

  /** The outputs of the last layer for each pair. */
  get outputs() {
    return this.data.pairs.map(({ inputs }) => forward(this.network, inputs).values.at(-1));
  }

  /** The numbers, counted from 0, of the hidden layers whose neurons are 0 for every pair. */
  get deadLayers() {
    if (this.network.activation !== "relu") return [];
    const traces = this.data.pairs.map(({ inputs }) => forward(this.network, inputs).values);
    return this.network.weights.slice(1).map((_, layer) => layer)
      .filter((layer) => traces.every((values) => values[layer + 1].every((value) => value === 0)));
  }

  record() {
    this.curve.push({ seen: this.seen, loss: this.meanLoss });
    if (this.curve.length <= MAX_POINTS) return;
    this.curve = this.curve.filter((_, place) => place % 2 === 0);
    this.every *= 2;
  }

  shuffled() {
    const order = this.data.pairs.map((_, index) => index);
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.random() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  }
}
