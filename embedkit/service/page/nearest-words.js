// The nearest words to a word in each encoding, side by side.

import { post } from "./api.js";
import { make } from "./shared/dom.js";

const COUNT = 5;

/**
 * Return [encoding, promise of elements] for each encoding.
 *
 * `frequent` has the most frequent words; neighbors in character codes are searched among them.
 */
export function nearestWords(word, { frequent, trained, model }) {
  const total = (model.words - 1).toLocaleString("en");
  const among = frequent.length < model.words
    ? ` of the ${frequent.length.toLocaleString("en")} most frequent words` : "";
  const others = frequent.filter((other) => other !== word);
  const lists = [
    ["charcode", Promise.resolve([
      heading(`Nearest to ${word}${among}, by Euclidean distance`),
      list(inCharacterCodes(word, others))])],
    ["onehot", Promise.resolve([
      heading(`Nearest to ${word}, by Euclidean distance`),
      list(others.slice(0, COUNT).map((other) => ({ word: other, score: Math.SQRT2 }))),
      make("p", {}, `and so on: all ${total} other words have the same distance, so none is the nearest.`)])],
  ];
  if (trained) lists.push([trained, inModel(word)]);
  return lists;
}

/** Return the words with the nearest character codes, nearest first, as {word, score}. */
export function inCharacterCodes(word, others) {
  const codes = codesOf(word);
  const found = others.map((other) => ({ word: other, score: distance(codes, codesOf(other)) }));
  return found.sort((one, other) => one.score - other.score).slice(0, COUNT);
}

function codesOf(word) {
  return [...word].map((letter) => letter.codePointAt(0));
}

function distance(one, other) {
  const length = Math.max(one.length, other.length);
  let sum = 0;
  for (let place = 0; place < length; place += 1) sum += ((one[place] ?? 0) - (other[place] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

async function inModel(word) {
  const { answers } = await post("v1/neighbors", { word, k: COUNT });
  return [heading(`Nearest to ${word}, by cosine similarity`), list(answers)];
}

function heading(text) {
  return make("h4", {}, text);
}

function list(found) {
  return make("ol", {}, ...found.map(({ word, score }) =>
    make("li", {}, make("span", { className: "word" }, word),
      make("span", { className: "score" }, score.toFixed(4)))));
}
