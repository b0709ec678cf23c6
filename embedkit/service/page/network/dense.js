// The arithmetic of a dense network: forward pass, losses, backpropagation, gradient descent.
//
// It has no page: numbers in, numbers out. A network is {weights, biases, activation}, where
// weights[layer][input][unit] and biases[layer][unit]; the last layer has no activation. The tests
// compare all of it with embedkit.heads and torch.

/** 1 / (1 + exp(-x)), without overflow. */
export function sigmoid(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  return Math.exp(x) / (1 + Math.exp(x));
}

/** The probabilities exp(score) / sum. Subtracting the largest score changes nothing but avoids overflow. */
export function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** For each activation its value at a sum, and its slope there. */
export const ACTIVATIONS = {
  relu: { value: (sum) => Math.max(sum, 0), slope: (sum) => (sum > 0 ? 1 : 0) },
  tanh: { value: Math.tanh, slope: (sum) => 1 - Math.tanh(sum) ** 2 },
  sigmoid: { value: sigmoid, slope: (sum) => sigmoid(sum) * (1 - sigmoid(sum)) },
};

/** For each loss, from the outputs of the last layer and the target: {loss, slopes}, one slope per output. */
export const LOSSES = {
  // The mean of the squared differences; the target is a list of numbers.
  "squared error": (outputs, target) => {
    const differences = outputs.map((output, unit) => output - target[unit]);
    return {
      loss: differences.reduce((sum, difference) => sum + difference ** 2, 0) / outputs.length,
      slopes: differences.map((difference) => 2 * difference / outputs.length),
    };
  },
  // -log of the probability of the true one of two classes; the target is 0 or 1.
  "binary cross-entropy": ([logit], target) => ({
    loss: Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - target * logit,
    slopes: [sigmoid(logit) - target],
  }),
  // -log of the softmax probability of the true class; the target is its number.
  "negative log-likelihood": (logits, target) => {
    const largest = Math.max(...logits);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    return {
      loss: largest + Math.log(sum) - logits[target],
      slopes: softmax(logits).map((share, unit) => share - (unit === target ? 1 : 0)),
    };
  },
};

/** Return a generator of numbers in [0, 1) that repeats itself for the same seed (mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
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
  const weights = sizes.slice(1).map((outputs, layer) => {
    const inputs = sizes[layer];
    const limit = Math.sqrt(3 * (activation === "relu" ? 2 / inputs : 2 / (inputs + outputs)));
    return Array.from({ length: inputs }, () =>
      Array.from({ length: outputs }, () => (2 * random() - 1) * limit));
  });
  const biases = sizes.slice(1).map((outputs) => new Array(outputs).fill(0));
  return { weights, biases, activation };
}

/**
 * Return {values, sums}: values[0] are the inputs, values[layer + 1] the outputs of a layer, and
 * sums[layer] its weights times inputs plus bias, before the activation.
 */
export function forward({ weights, biases, activation }, inputs) {
  const { value } = ACTIVATIONS[activation];
  const values = [inputs];
  const sums = weights.map((matrix, layer) => {
    const given = values[layer];
    const layerSums = biases[layer].map((bias, unit) =>
      given.reduce((sum, number, input) => sum + number * matrix[input][unit], bias));
    values.push(layer + 1 < weights.length ? layerSums.map(value) : layerSums);
    return layerSums;
  });
  return { values, sums };
}

/**
 * Return the gradients {weights, biases} of the loss, shaped like those of the network.
 *
 * `slopes` are those of the loss with respect to the outputs of the last layer.
 */
export function backward({ weights, activation }, { values, sums }, slopes) {
  const gradients = { weights: [], biases: [] };
  for (let layer = weights.length - 1; layer >= 0; layer -= 1) {
    const below = slopes;
    gradients.weights[layer] = values[layer].map((value) => below.map((slope) => value * slope));
    gradients.biases[layer] = below;
    if (layer === 0) break;
    slopes = weights[layer].map((row, unit) => ACTIVATIONS[activation].slope(sums[layer - 1][unit])
      * row.reduce((sum, weight, next) => sum + weight * below[next], 0));
  }
  return gradients;
}

/** Return the network after a step of gradient descent: weight - rate x gradient. */
export function descend({ weights, biases, activation }, gradients, rate) {
  const step = (numbers, slopes) => numbers.map((number, place) => number - rate * slopes[place]);
  return {
    weights: weights.map((matrix, layer) =>
      matrix.map((row, input) => step(row, gradients.weights[layer][input]))),
    biases: biases.map((row, layer) => step(row, gradients.biases[layer])),
    activation,
  };
}

/** Tell whether all weights and biases are finite. */
export function isFinite({ weights, biases }) {
  return [...weights.flat(2), ...biases.flat()].every(Number.isFinite);
}

/** Return {means, deviations, rows}: columns of mean 0 and standard deviation 1; constant ones become 0. */
export function standardize(rows) {
  const columns = rows[0].map((_, column) => rows.map((row) => row[column]));
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const means = columns.map(mean);
  const deviations = columns.map((numbers, column) =>
    Math.sqrt(mean(numbers.map((number) => (number - means[column]) ** 2))) || 1);
  return {
    means,
    deviations,
    rows: rows.map((row) => row.map((value, column) => (value - means[column]) / deviations[column])),
  };
}
