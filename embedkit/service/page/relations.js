// Ready questions and pairs, offered only if this model answers them right.

import { post } from "./api.js";

const LINES = {
  "Male – female": "man:woman king:queen uncle:aunt boy:girl brother:sister father:mother actor:actress "
    + "prince:princess husband:wife",
  "Verb tense": "walk:walked dance:danced watch:watched talk:talked play:played look:looked jump:jumped "
    + "work:worked repair:repaired",
  "Country – capital": "france:paris italy:rome germany:berlin spain:madrid japan:tokyo russia:moscow "
    + "england:london china:beijing",
  "Comparative": "big:bigger small:smaller weak:weaker cheap:cheaper strong:stronger fast:faster "
    + "warm:warmer",
};
/** The pairs of words of each relation, by its name. */
export const RELATIONS = Object.fromEntries(Object.entries(LINES).map(([name, line]) =>
  [name, line.split(" ").map((pair) => pair.split(":"))]));
export const RELATION_WORDS = Object.values(RELATIONS).flat(2);
const MOST_PAIRS = 6;
const FEWEST_RIGHT = 3;

/**
 * Return the examples of a model as {right, wrong}: wrong ones are {expression, expected, got}.
 *
 * `expected` has the answers that a person expects, by expression; others are not checked.
 */
export async function checkedExamples({ examples, expected = {} }) {
  const wanted = new Map(Object.entries(expected));
  const claimed = examples.filter((one) => wanted.has(one));
  if (!claimed.length) return { right: examples, wrong: [] };
  const answers = await post("v1/query", claimed.map((expression) => ({ expression, k: 1 })));
  const got = new Map(claimed.map((expression, place) =>
    [expression, answers[place].answers?.[0]?.word ?? ""]));
  const isRight = (one) => !got.has(one) || got.get(one) === wanted.get(one);
  return {
    right: examples.filter(isRight),
    wrong: examples.filter((one) => !isRight(one)).map((expression) => (
      { expression, expected: wanted.get(expression), got: got.get(expression) })),
  };
}

/**
 * Return the relations that the model has learned, as {name, pairs, asked}.
 *
 * Each pair is asked from the next one, such as `paris - france + italy`; `pairs` are those whose
 * nearest word is the expected one, of `asked` pairs whose words are `known`, a Set.
 */
export async function checkedRelations(known) {
  const kept = Object.values(RELATIONS).map((pairs) =>
    pairs.filter((pair) => pair.every((word) => known.has(word))).slice(0, MOST_PAIRS));
  const asked = kept.flatMap((pairs) => pairs.map(([from], place) => {
    const [b, a] = pairs[(place + 1) % pairs.length];
    return { a, b, c: from, k: 1 };
  }));
  const answers = asked.length ? await post("v1/analogy", asked) : [];
  let next = 0;
  return Object.keys(RELATIONS).map((name, place) => ({
    name, asked: kept[place].length,
    pairs: kept[place].filter(([, to]) => answers[next++].answers?.[0]?.word === to),
  })).filter(({ pairs }) => pairs.length >= FEWEST_RIGHT);
}
