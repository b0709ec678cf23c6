// Where the words of a question are on the map: on principal components, or on an axis of two words.

import { post } from "./api.js";

const MOST = 100; // words in a request of /v1/project and /v1/distance

/** Return {points, caption, ends} of a question; `ends` names the ends of the axis of two words. */
export function placesOf(words, { terms, axes, axis }, signal) {
  return axes === "pair" ? onAxis(words, terms, axis, signal) : onComponents(words, axes, signal);
}

async function onComponents(words, axes, signal) {
  const body = { words: words.slice(0, MOST), fit: axes };
  const { points, explained } = await post("v1/project", body, signal);
  const share = Math.round(explained.reduce((sum, part) => sum + part, 0) * 100);
  const whose = axes === "vocabulary" ? "all" : "these";
  return { points, ends: null, caption:
    `Axes: the first two principal components of ${whose} words, ${share}% of the variance.` };
}

/**
 * Place words by how much nearer they are to one word than to another.
 *
 * To the right is the direction from `from` to `to`, up is the direction of the question's result.
 * Both are products with a fixed vector, so differences of words remain parallel arrows.
 */
async function onAxis(words, terms, [from, to], signal) {
  const named = [...new Set([from, to, ...terms.map(({ word }) => word), ...words])].slice(0, MOST);
  const { table } = await post("v1/distance", { words: named, metric: "cosine" }, signal);
  const place = new Map(named.map((word, number) => [word, number]));
  const cosine = (one, other) => table[place.get(one)][place.get(other)];
  const apart = Math.sqrt(Math.max(2 - 2 * cosine(from, to), 1e-9));
  const result = (word) => terms.reduce((sum, term) => sum + term.weight * cosine(word, term.word), 0);
  const length = Math.sqrt(Math.max(
    terms.reduce((sum, term) => sum + term.weight * result(term.word), 0), 1e-9));
  const points = named.map((word) => (
    { word, x: (cosine(word, to) - cosine(word, from)) / apart, y: result(word) / length }));
  return { points, ends: [from, to], caption:
    `Left to right: from ${from} to ${to}. Bottom to top: nearer to the result of the expression.` };
}

/** Return the figure of arrows between pairs, [[from, to], ...], on the axes of their own words. */
export async function pairsFigure(pairs, signal) {
  const words = [...new Set(pairs.flat())].slice(0, MOST);
  const { points } = await post("v1/project", { words, fit: "words" }, signal);
  const placed = new Map(points.map((point) => [point.word, point]));
  const arrows = pairs.map(([from, to]) => ({ from: placed.get(from), to: placed.get(to) }))
    .filter(({ from, to }) => from && to);
  return {
    terms: arrows.map(({ from }) => from), answers: arrows.map(({ to }) => to),
    target: null, analogy: null, arrows, sides: [], isPairs: true,
  };
}
