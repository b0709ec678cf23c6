// Asks the service a question, in the reading that the model knows.

import { post } from "./api.js";
import { hyphenated, withHyphensAsMinus } from "./expression.js";
import { knownWords } from "./known.js";

/**
 * Return the service's answer to {expression, k, metric}, with `reading`: how it was read.
 *
 * The expression is first read as written, so that a known word with a hyphen wins; then hyphens of
 * unknown words are minus signs (`king-man`). A model that composes unknown words would compose
 * these, so the parts are looked up.
 */
export async function answerTo(question, signal) {
  const asked = async (expression) => ({
    ...await post("v1/query", { ...question, expression }, signal), reading: expression,
  });
  try {
    const found = await asked(question.expression);
    const next = await splitComposed(found);
    return next === found.reading ? found : await asked(next);
  } catch (error) {
    return retry(asked, question.expression, error);
  }
}

/** Return the reading in which composed words with hyphens are differences of words that the model knows. */
async function splitComposed({ reading, composed = [] }) {
  const split = composed.filter((word) => hyphenated(word).length > 1);
  if (!split.length) return reading;
  const known = await knownWords(split.flatMap(hyphenated)).catch(() => new Set());
  return split.filter((word) => hyphenated(word).every((part) => known.has(part)))
    .reduce(withHyphensAsMinus, reading);
}

async function retry(asked, expression, error) {
  if (!["unknown_word", "bad_expression"].includes(error.type)) throw error;
  const next = nextReading(expression, error);
  if (next === expression) throw Object.assign(error, { reading: expression });
  try {
    return await asked(next);
  } catch (later) {
    if (later.name === "AbortError") throw later;
    try {
      return await retry(asked, next, later);
    } catch (last) {
      // A part of a hyphenated word is unknown: the word as a whole may be a misspelling.
      throw error.word?.includes("-") ? Object.assign(error, { reading: expression }) : last;
    }
  }
}

function nextReading(expression, { word = "" }) {
  return hyphenated(word).length > 1 ? withHyphensAsMinus(expression, word) : expression;
}
