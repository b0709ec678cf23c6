// The data a network can learn: pairs of inputs and a target, and how to say them in words.
//
// `load(choice)` returns {pairs, inputs, outputs, loss, classes, answer, truth, notes}: `pairs` of
// {name, inputs, target}, a name and an explanation for each of the `inputs`, the number of
// `outputs`, the name of the `loss`, and functions that put outputs and targets into words.

import { get, post } from "../api.js";
import { generator, sigmoid, softmax, standardize } from "./dense.js";
import { number, percent } from "./text.js";

const PEOPLE = 60;
const FEWEST = 4; // known words of each class for a ready group to be offered
const MOST_TYPED = 40; // words of each class; the service accepts 100 in one request
const LARGEST_VECTOR = 1000; // numbers; longer vectors, such as one-hot ones, are not fetched

/** Words whose presence in a question are the inputs for the help-desk's labels. */
export const CUES = ["where", "why", "which", "how", "come", "what", "reason", "made", "kinds", "can"];

const GROUPS = [
  ["countries", "france italy spain germany japan china russia poland greece sweden",
    "capitals", "paris rome madrid berlin tokyo beijing moscow warsaw athens stockholm"],
  ["male", "man king boy father son brother husband uncle grandfather actor",
    "female", "woman queen girl mother daughter sister wife aunt grandmother actress"],
  ["present", "walk talk play cook paint jump climb wash clean call",
    "past", "walked talked played cooked painted jumped climbed washed cleaned called"],
  ["animals", "cat dog horse cow sheep lion wolf bear mouse rabbit",
    "food", "bread cheese rice milk butter meat fish sugar coffee tea"],
].map(([one, ones, other, others], place) => (
  { id: String(place), classes: [one, other], words: [ones.split(" "), others.split(" ")] }));

/** An error that the page shows as it is, with suggestions for words. */
export class DataError extends Error {}

/** Heights, ages and weights of people, by the formula of the guide on classification. */
function people() {
  const random = generator(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const table = Array.from({ length: PEOPLE }, () => {
    const height = Math.round(170 + 10 * normal());
    const age = Math.floor(18 + 62 * random());
    return [height, age, Math.round(10 * (70 + 0.9 * (height - 170) + 0.1 * (age - 40) + 2 * normal())) / 10];
  });
  const { means, deviations, rows } = standardize(table);
  const [mean, deviation] = [means[2], deviations[2]];
  const kilograms = (scaled) => `${number(scaled * deviation + mean, 1)} kg`;
  const scaled = (column, unit) => (value, index) => `${table[index][column]} ${unit} become ${number(value)}: `
    + `minus the mean, ${number(means[column], 1)}, divided by the standard deviation, ${number(deviations[column], 1)}.`;
  return {
    pairs: rows.map(([height, age, weight], index) => (
      { name: `${table[index][0]} cm, ${table[index][1]} years`, inputs: [height, age], target: [weight] })),
    inputs: [
      { name: "height", explain: scaled(0, "cm") },
      { name: "age", explain: scaled(1, "years") },
    ],
    outputs: ["weight"],
    loss: "squared error",
    answer: ([output]) => `a weight of ${kilograms(output)}`,
    truth: ({ target: [weight] }) => `a weight of ${kilograms(weight)}`,
    last: ([output]) => `Times ${number(deviation, 1)} plus ${number(mean, 1)}, which undoes the scaling, this is ${kilograms(output)}.`,
    score: (outputs, pairs) => {
      const errors = outputs.map(([output], row) => Math.abs(output - pairs[row].target[0]) * deviation);
      return `off by ${number(errors.reduce((sum, error) => sum + error, 0) / errors.length, 1)} kg on average`;
    },
  };
}

/** The parts of the data that classes share: outputs, losses and words. */
function labelled(classes, pairs, inputs) {
  const isBinary = classes.length === 2;
  const shares = (outputs) => (isBinary ? [1 - sigmoid(outputs[0]), sigmoid(outputs[0])] : softmax(outputs));
  const best = (outputs) => shares(outputs).reduce((best, share, place, all) => (share > all[best] ? place : best), 0);
  return {
    pairs,
    inputs,
    classes,
    outputs: isBinary ? [classes[1]] : classes,
    loss: isBinary ? "binary cross-entropy" : "negative log-likelihood",
    shares,
    answer: (outputs) => `${classes[best(outputs)]} (probability ${percent(shares(outputs)[best(outputs)])})`,
    truth: ({ target }) => classes[target],
    last: (outputs, unit) => (isBinary
      ? `The sigmoid 1 / (1 + e^−sum) turns it into the probability of ${classes[1]}: ${percent(shares(outputs)[1])}.`
      : `The softmax turns the ${classes.length} outputs into probabilities; ${classes[unit]} gets ${percent(shares(outputs)[unit])}.`),
    score: (outputs, all) => {
      const right = outputs.filter((output, row) => best(output) === all[row].target).length;
      return `${right} of ${all.length} right`;
    },
  };
}

/** The vectors of texts, as lists of numbers of mean 0 and standard deviation 1. */
async function encoded(texts) {
  const { data } = await post("v1/embeddings", { input: texts, encoding_format: "base64" });
  const rows = data.map(({ embedding }) => {
    const bytes = Uint8Array.from(atob(embedding), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
  });
  return standardize(rows).rows;
}

const numbered = (count, explain) => Array.from({ length: count }, (_, place) => (
  { name: `x${place + 1}`, explain: explain(place) }));

/** Return those of the words that the model knows; with `compose`, also those it can compose. */
async function known(words, compose = false) {
  try {
    return (await post("v1/distance", { words, oov: compose ? "subwords" : "skip" })).words;
  } catch (error) {
    if (error.type === "unknown_word") return [];
    throw error;
  }
}

/** Return the ready groups of words that the model knows, or else one of its frequent words. */
export async function wordGroups() {
  const all = [...new Set(GROUPS.flatMap(({ words }) => words.flat()))];
  const found = new Set(await known(all));
  const groups = GROUPS.map(({ words, ...group }) => (
    { ...group, words: words.map((list) => list.filter((word) => found.has(word))) }))
    .filter(({ words }) => words.every((list) => list.length >= FEWEST));
  if (groups.length) return { groups, typed: null };
  const { words } = await get("v1/words?limit=200");
  const frequent = words.map(({ word }) => word).filter((word) => !/[\s,]/.test(word));
  const long = frequent.filter((word) => word.length > 3);
  const chosen = (long.length >= 4 ? long : frequent).slice(0, 12);
  const half = Math.ceil(chosen.length / 2);
  return { groups, typed: [chosen.slice(0, half), chosen.slice(half)] };
}

/** Return the words of a text in which commas or spaces separate them, without duplicates. */
export const listed = (text) => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];

async function checkTyped(lists) {
  for (const [place, list] of lists.entries()) {
    const name = "AB"[place];
    if (list.length < 2) throw new DataError(`Class ${name} needs at least two words.`);
    if (list.length > MOST_TYPED) throw new DataError(`Class ${name} may have at most ${MOST_TYPED} words.`);
  }
  const both = lists[0].filter((word) => lists[1].includes(word));
  if (both.length) throw new DataError(`In both classes: ${both.join(", ")}. Remove each from one of them.`);
  const words = lists.flat();
  const found = new Set(await known(words, true));
  const unknown = words.filter((word) => !found.has(word));
  if (unknown.length === 0) return;
  const asked = await post("v1/neighbors", unknown.slice(0, 8).map((word) => ({ word, k: 1 })));
  const suggested = asked.flatMap(({ error }, place) => (error?.suggestions?.length
    ? [`${unknown[place]}: ${error.suggestions.join(", ")}`] : []));
  throw new DataError(`This model does not know ${unknown.join(", ")}. Replace or remove ${
    unknown.length === 1 ? "it" : "them"}.${suggested.length ? ` Similar words: ${suggested.join("; ")}.` : ""}`);
}

async function words({ groups, group, typed, inputs }) {
  const ready = groups.find(({ id }) => id === group);
  if (!ready) await checkTyped(typed);
  const { classes, words: lists } = ready ?? { classes: ["class A", "class B"], words: typed };
  const all = lists.flat();
  const isPlane = inputs === "plane";
  const rows = isPlane ? await plane(all) : await encoded(all);
  const explain = (place) => (value) => (isPlane
    ? `Principal component ${place + 1} of the words' vectors, scaled: ${number(value)}.`
    : `Number ${place + 1} of the word's vector, scaled: ${number(value)}.`);
  return labelled(classes, all.map((name, row) => (
    { name, inputs: rows[row], target: row < lists[0].length ? 0 : 1 })), numbered(rows[0].length, explain));
}

async function plane(all) {
  const { points } = await post("v1/project", { words: all, fit: "words" });
  return standardize(points.map(({ x, y }) => [x, y])).rows;
}

async function helpdesk({ inputs }) {
  const file = await (await fetch("page/network/helpdesk.tsv")).text();
  const [, ...lines] = file.trim().split("\n").map((line) => line.split("\t"));
  const texts = lines.map(([text]) => text);
  const classes = ["other", "where", "why"];
  const isCues = inputs === "cues";
  const rows = isCues ? texts.map(hasCues) : await encoded(texts);
  const named = isCues ? CUES.map((name) => (
    { name, explain: (value) => `${value ? "1: the" : "0: no"} word “${name}” is in the question.` }))
    : numbered(rows[0].length, (place) => (value) =>
      `Number ${place + 1} of the mean of the vectors of the question's words, scaled: ${number(value)}.`);
  return labelled(classes, lines.map(([name, label], row) => (
    { name, inputs: rows[row], target: classes.indexOf(label) })), named);
}

function hasCues(text) {
  const found = new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
  return CUES.map((cue) => Number(found.has(cue)));
}

/** The choices of data: a title, the choices of inputs, and a function that loads the data. */
export const DATA = {
  people: { load: people, inputs: { scaled: "height and age" } },
  words: { load: words, inputs: { plane: "2 numbers per word", vector: "the whole vector" } },
  helpdesk: { load: helpdesk, inputs: { cues: "10 words: 1 if present, else 0", vector: "the whole vector" } },
};

/** Tell whether the page offers a model's whole vectors as inputs. */
export const hasVectors = ({ encoder, dimension }) => encoder !== "onehot" && dimension <= LARGEST_VECTOR;
