// The vectors that the model has learned, and three ways to measure how near two of them are.

import { make } from "./shared/dom.js";
import { squares, strip } from "./strip.js";
import { sumOf } from "./working.js";

const SHOWN_TERMS = 3;
const TITLES = { skipgram: "Skip-gram", subword: "Subwords" };

const dot = (one, other) => one.reduce((sum, value, place) => sum + value * other[place], 0);
const length = (vector) => Math.hypot(...vector);
const cosine = (one, other) => dot(one, other) / (length(one) * length(other) || 1);
const unit = (one, other) => Math.sqrt(Math.max(2 - 2 * cosine(one, other), 0));
const signed = (text) => text.replaceAll("-", "−");

/**
 * Return the encoding of the model, as in encodings.js, with its vectors as they are stored.
 *
 * `measured(measure)` returns a table of "cosine" or "unit", or null for "raw". `name` is null if the
 * model was not trained; then there are no numbers.
 */
export function trainedEncoding(name, vectors, { dimension, settings }) {
  const title = settings.architecture === "cbow" ? "CBOW" : TITLES[name] ?? (name ? "This model" : "Skip-gram");
  const parts = name === "subword" ? " Words that share letter sequences start out similar, too." : "";
  const explanation = `The ${name ? `${dimension} ` : ""}numbers of a word are learned by reading: the program `
    + `moves them until words that occur in similar sentences have similar numbers.${parts}`;
  if (!name) return { name: "skipgram", title, explanation };
  const largest = Math.max(...vectors.flat().map(Math.abs));
  const table = (measure) => vectors.map((one) => vectors.map((other) => measure(one, other)));
  return {
    name, title, explanation,
    rows: (place) => strip(vectors[place], largest),
    measured: (measure) => ({ cosine: () => table(cosine), unit: () => table(unit), raw: () => null })[measure](),
    working: (one, other) => workedOut(vectors[one], vectors[other]),
  };
}

function workedOut(left, right) {
  const terms = left.map((value, place) => (value - right[place]) ** 2);
  const number = (value) => signed(value.toFixed(2));
  const written = terms.slice(0, SHOWN_TERMS).map((_, place) =>
    `(${number(left[place])} − ${number(right[place])})²`.replace("− −", "+ ")).join(" + ");
  const more = terms.length > SHOWN_TERMS ? ` + … ${terms.length - SHOWN_TERMS} more` : "";
  return [squares(terms), sumOf(written + more, terms), measures(left, right)];
}

/** Say how the Euclidean distance, the cosine, and the distance of unit vectors are related. */
function measures(left, right) {
  const [one, other] = [length(left).toFixed(2), length(right).toFixed(2)];
  const similarity = cosine(left, right).toFixed(4);
  return make("ul", { className: "measures" },
    make("li", {}, `This is the Euclidean distance of the raw vectors, whose lengths are ${one} and ${other}.`),
    make("li", {}, signed("Cosine similarity compares only their directions: "
      + `${dot(left, right).toFixed(2)} / (${one} × ${other}) = ${similarity}.`)),
    make("li", {}, signed("Scaled to length 1, their Euclidean distance is "
      + `√(2 − 2 × ${similarity}) = ${unit(left, right).toFixed(4)}.`)));
}
