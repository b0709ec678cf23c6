// The data a network can learn: pairs of inputs and a target, and how to put them into words.
//
// They have pairs of {name, inputs, target}, a name and an explanation of each input, names of the
// outputs, a name in LOSSES, and functions that describe outputs.

import { get, post } from "../api.js";
import { RELATIONS } from "../relations.js";
import { generator, sigmoid, softmax, standardize, total } from "./dense.js";
import { number } from "./figures.js";

const PEOPLE = 60;
const FEWEST = 4; // known words of each class of a ready group
const LARGEST_VECTOR = 1000; // numbers

/** The words that are inputs for the help desk's labels. */
const CUES = ["where", "why", "which", "how", "come", "what", "reason", "made", "kinds", "can"];
const LABELS = ["other", "where", "why"];

const GROUPS = [["countries", "capitals", "Country – capital"], ["male", "female", "Male – female"], ["present", "past", "Verb tense"]]
  .map(([one, other, relation], place) => (
    { id: String(place), classes: [one, other], words: [0, 1].map((side) => RELATIONS[relation].map((pair) => pair[side])) }));

/** The data to choose from, and the kinds of their inputs. */
export const DATA = {
  people: { load: people, inputs: { scaled: "height and age" } },
  words: { load: words, inputs: { plane: "2 numbers per word", vector: "the whole vector" } },
  helpdesk: { load: helpdesk, inputs: { cues: "10 words: 0 or 1", vector: "the whole vector" } },
};

/** Heights, ages and weights of people, by the formula of the guide on text classification. */
function people() {
  const random = generator(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const table = Array.from({ length: PEOPLE }, () => {
    const [height, age] = [Math.round(170 + 10 * normal()), Math.floor(18 + 62 * random())];
    return [height, age, 70 + 0.9 * (height - 170) + 0.1 * (age - 40) + 2 * normal()];
  });
  const { means, deviations, rows } = standardize(table);
  const kilograms = (scaled) => `${number(scaled * deviations[2] + means[2], 1)} kg`;
  const explain = (column, unit) => (value, row) => `(${table[row][column]} ${unit} − the mean, ${
    number(means[column], 1)}) / the standard deviation, ${number(deviations[column], 1)} = ${number(value)}`;
  return {
    pairs: rows.map(([height, age, weight], row) => (
      { name: `${table[row][0]} cm, ${table[row][1]} years`, inputs: [height, age], target: [weight] })),
    inputs: [{ name: "height", explain: explain(0, "cm") }, { name: "age", explain: explain(1, "years") }],
    outputs: ["weight"],
    loss: "squared error",
    answer: ([output]) => `${number(output)}, which is ${kilograms(output)}`,
    truth: ({ target }) => kilograms(target[0]),
    last: ([output]) => `Without the scaling: × ${number(deviations[2], 1)} + ${number(means[2], 1)} = ${kilograms(output)}.`,
    score: (outputs, pairs) => `off by ${number(deviations[2] * total(outputs.map(([output], row) =>
      Math.abs(output - pairs[row].target[0]))) / pairs.length, 1)} kg on average`,
  };
}

/** What data with classes have in common. */
function labeled(classes, pairs, inputs) {
  const isBinary = classes.length === 2;
  const shares = (outputs) => (isBinary ? [1 - sigmoid(outputs[0]), sigmoid(outputs[0])] : softmax(outputs));
  const best = (outputs) => shares(outputs).indexOf(Math.max(...shares(outputs)));
  return {
    pairs,
    inputs,
    classes,
    shares,
    outputs: isBinary ? [classes[1]] : classes,
    loss: isBinary ? "binary cross-entropy" : "negative log-likelihood",
    answer: (outputs) => `${classes[best(outputs)]}, with probability ${number(Math.max(...shares(outputs)), 4)}`,
    truth: ({ target }) => classes[target],
    last: (outputs, unit) => (isBinary
      ? `The sigmoid 1 / (1 + e^−sum) makes it the probability of ${classes[1]}: ${number(shares(outputs)[1], 4)}.`
      : `The softmax makes probabilities of all outputs; ${classes[unit]} gets ${number(shares(outputs)[unit], 4)}.`),
    score: (outputs, all) => `${outputs.filter((output, row) => best(output) === all[row].target).length} of ${all.length} right`,
  };
}

/** Return the vectors of texts, scaled, and a name and an explanation of each of their numbers. */
async function encoded(texts, explain) {
  const { dimension } = await get("v1/model");
  if (dimension > LARGEST_VECTOR) {
    throw new Error(`The vectors of this model have ${number(dimension)} numbers, too many to show.`);
  }
  const { data } = await post("v1/embeddings", { input: texts, normalize: false });
  return scaled(data.map(({ embedding }) => embedding), explain);
}

function scaled(vectors, explain) {
  const { rows } = standardize(vectors);
  return [rows, rows[0].map((_, place) => (
    { name: `x${place + 1}`, explain: (value) => `${explain(place + 1)}, scaled: ${number(value)}` }))];
}

/** Return the ready groups that the model knows, and words to begin with for groups of one's own. */
export async function wordGroups() {
  const all = [...new Set(GROUPS.flatMap(({ words: lists }) => lists.flat()))];
  const known = await post("v1/distance", { words: all, oov: "skip" });
  const groups = GROUPS.map((group) => (
    { ...group, words: group.words.map((list) => list.filter((word) => known.words.includes(word))) }))
    .filter((group) => group.words.every((list) => list.length >= FEWEST));
  if (groups.length) return { groups, typed: groups[0].words };
  const { words: frequent } = await get("v1/words?limit=100");
  const chosen = frequent.map(({ word }) => word).filter((word) => listed(word)[0] === word).slice(0, 12);
  return { groups, typed: [chosen.filter((_, row) => row % 2 === 0), chosen.filter((_, row) => row % 2)] };
}

/** Return the words of a text, without duplicates; commas or spaces separate them. */
export const listed = (text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

/** Raise an error if typed words are too few or unknown. */
async function check(lists) {
  if (lists.some(({ length }) => length < 2)) throw new Error("Each class needs at least two words.");
  const words = lists.flat();
  const unknown = (await post("v1/neighbors", words.map((word) => ({ word, k: 1 }))))
    .flatMap(({ error }, place) => (error ? [{ word: words[place], ...error }] : []));
  if (!unknown.length) return;
  const similar = unknown.filter(({ suggestions }) => suggestions?.length)
    .map(({ word, suggestions }) => ` Similar to ${word}: ${suggestions.join(", ")}.`);
  throw new Error(`Not in this vocabulary: ${unknown.map(({ word }) => word).join(", ")}.${similar.join("")}`);
}

async function words({ groups, group, typed, inputs }) {
  const ready = groups.find(({ id }) => id === group);
  if (!ready) await check(typed);
  const lists = ready?.words ?? typed;
  const all = lists.flat();
  const [rows, names] = inputs === "plane" ? await plane(all)
    : await encoded(all, (place) => `Number ${place} of the word's vector`);
  return labeled(ready?.classes ?? ["class A", "class B"], all.map((name, row) => (
    { name, inputs: rows[row], target: Number(row >= lists[0].length) })), names);
}

async function plane(all) {
  const { points } = await post("v1/project", { words: all, fit: "words" });
  return scaled(points.map(({ x, y }) => [x, y]), (place) => `Principal component ${place} of these words' vectors`);
}

async function helpdesk({ inputs }) {
  const file = await (await fetch("page/network/helpdesk.tsv")).text();
  const lines = file.trim().split("\n").slice(1).map((line) => line.split("\t"));
  const texts = lines.map(([text]) => text);
  const [rows, names] = inputs === "cues"
    ? [texts.map(hasCues), CUES.map((name) => ({ name, explain: (value) => `${value}: “${name}” ${value ? "is" : "is not"} in the question` }))]
    : await encoded(texts, (place) => `Number ${place} of the mean of the vectors of the question's words`);
  return labeled(LABELS, lines.map(([name, label], row) => (
    { name, inputs: rows[row], target: LABELS.indexOf(label) })), names);
}

function hasCues(text) {
  const found = text.toLowerCase().match(/\p{L}+/gu);
  return CUES.map((cue) => Number(found.includes(cue)));
}
