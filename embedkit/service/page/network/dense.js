// The arithmetic of a dense network, without a page: tested against embedkit.heads and torch.
//
// A network is {weights, biases, activation}, with weights[layer][input][unit] and
// biases[layer][unit]; the last layer has no activation.

export const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

/** 1 / (1 + exp(-x)), without overflow. */
export function sigmoid(x) {
  const power = Math.exp(-Math.abs(x));
  return (x < 0 ? power : 1) / (1 + power);
}

/** The probabilities exp(score) / sum, without overflow. */
export function softmax(scores) {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  return powers.map((power) => power / total(powers));
}

/** Each activation as a function of the sum, and its slope as a function of its value. */
export const ACTIVATIONS = {
  relu: { value: (sum) => Math.max(sum, 0), slope: (value) => (value > 0 ? 1 : 0) },
  tanh: { value: Math.tanh, slope: (value) => 1 - value ** 2 },
  sigmoid: { value: sigmoid, slope: (value) => value * (1 - value) },
};

/** Each loss as a function of the outputs and the target: {loss, slopes}, with a slope per output. */
export const LOSSES = {
  // The mean of the squared differences from a list of numbers.
  "squared error": (outputs, target) => {
    const differences = outputs.map((output, unit) => output - target[unit]);
    const mean = 1 / outputs.length;
    return {
      loss: mean * total(differences.map((difference) => difference ** 2)),
      slopes: differences.map((difference) => 2 * mean * difference),
    };
  },
  // -log of the sigmoid's probability of the true class, 0 or 1.
  "binary cross-entropy": ([logit], target) => ({
    loss: Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - target * logit,
    slopes: [sigmoid(logit) - target],
  }),
  // -log of the softmax's probability of the true class, a number from 0.
  "negative log-likelihood": (logits, target) => {
    const largest = Math.max(...logits);
    return {
      loss: largest - logits[target] + Math.log(total(logits.map((logit) => Math.exp(logit - largest)))),
      slopes: softmax(logits).map((share, unit) => share - (unit === target)),
    };
  },
};

/** Return a generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Return an untrained network with layers of these sizes, starting with the inputs.
 *
 * Weights are uniform with variance 2 / inputs for ReLU (He et al. 2015) and
 * 2 / (inputs + outputs) otherwise (Glorot and Bengio 2010); biases are 0.
 */
export function randomNetwork(sizes, activation, random) {
  const layers = sizes.slice(1);
  const weights = layers.map((outputs, layer) => {
    const limit = Math.sqrt(6 / (sizes[layer] + (activation === "relu" ? 0 : outputs)));
    return Array.from({ length: sizes[layer] }, () => Array.from({ length: outputs }, () => (2 * random() - 1) * limit));
  });
  return { weights, biases: layers.map((outputs) => Array(outputs).fill(0)), activation };
}

/** Return {values, sums}: the inputs and the outputs of each layer, and its sums before the activation. */
export function forward({ weights, biases, activation }, inputs) {
  const values = [inputs];
  const sums = weights.map((matrix, layer) => {
    const layerSums = biases[layer].map((bias, unit) =>
      bias + total(values[layer].map((value, input) => value * matrix[input][unit])));
    values.push(layer + 1 < weights.length ? layerSums.map(ACTIVATIONS[activation].value) : layerSums);
    return layerSums;
  });
  return { values, sums };
}

/** Return the gradients {weights, biases} of the loss, from its slopes for the outputs. */
export function backward({ weights, activation }, { values }, slopes) {
  const gradients = { weights: [], biases: [] };
  for (let layer = weights.length - 1; layer >= 0; layer -= 1) {
    const above = slopes; // for the sums of this layer
    gradients.weights[layer] = values[layer].map((value) => above.map((slope) => value * slope));
    gradients.biases[layer] = above;
    slopes = values[layer].map((value, unit) => ACTIVATIONS[activation].slope(value)
      * total(above.map((slope, next) => slope * weights[layer][unit][next])));
  }
  return gradients;
}

/** Return the network after a step of gradient descent: weight - rate x gradient. */
export function descend({ weights, biases, activation }, gradients, rate) {
  const step = (numbers, slopes) => numbers.map((number, place) => number - rate * slopes[place]);
  return {
    weights: weights.map((matrix, layer) => matrix.map((row, input) => step(row, gradients.weights[layer][input]))),
    biases: biases.map((row, layer) => step(row, gradients.biases[layer])),
    activation,
  };
}

/** Return {means, deviations, rows}: columns of mean 0 and standard deviation 1; constant ones become 0. */
export function standardize(table) {
  const mean = (numbers) => total(numbers) / numbers.length;
  const columns = table[0].map((_, column) => table.map((row) => row[column]));
  const means = columns.map(mean);
  const deviations = columns.map((numbers, column) =>
    Math.sqrt(mean(numbers.map((number) => (number - means[column]) ** 2))) || 1);
  const rows = table.map((row) => row.map((value, column) => (value - means[column]) / deviations[column]));
  return { means, deviations, rows };
}
