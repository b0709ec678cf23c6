// Asks the service a question, in the reading that the model knows.

import { post } from "./api.js";
import { withHyphensAsMinus, withMinusSigns } from "./expression.js";

/**
 * Return the service's answer to {expression, k, metric}, with `reading`: how it was read.
 *
 * The expression is first read as written, so that a known word with a dash or a hyphen wins; then
 * dashes are minus signs (`king − man`), then hyphens of unknown words (`king-man`).
 */
export async function answerTo(question, signal) {
  const asked = async (expression) => ({
    ...await post("v1/query", { ...question, expression }, signal), reading: expression,
  });
  try {
    return await asked(question.expression);
  } catch (error) {
    return retry(asked, question.expression, error);
  }
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
      const wasSplit = error.word?.includes("-") && withMinusSigns(expression) === expression;
      throw wasSplit ? Object.assign(error, { reading: expression }) : last;
    }
  }
}

function nextReading(expression, { word = "" }) {
  const dashed = withMinusSigns(expression);
  if (dashed !== expression) return dashed;
  return /[^-]-+[^-]/.test(word) ? withHyphensAsMinus(expression, word) : expression;
}
