// The example questions and relations below the expression.

import { checkedExamples, checkedRelations } from "./relations.js";
import { byId, make } from "./shared/dom.js";

/**
 * Show the examples that the model answers as expected; return the first question.
 *
 * `known` is a promise of the words that the model knows, `ask(change)` asks what is chosen,
 * `isShown(pairs)` tells whether the map shows these pairs, and `isCurrent()` whether the page still
 * shows this model.
 * Relations are added when they have been checked. Examples with other answers are listed in the
 * lesson, as what the model has not learned.
 */
export async function showExamples(model, { known, ask, isShown, isCurrent }) {
  const isTrained = !["onehot", "charcode"].includes(model.encoder);
  const { right, wrong } = isTrained
    ? await checkedExamples(model).catch(() => ({ right: model.examples, wrong: [] }))
    : { right: firstWords(model.examples), wrong: [] };
  if (!isCurrent()) return "";
  const questions = right.length ? right : firstWords(model.examples);
  byId("examples").replaceChildren(...questions.map((expression) =>
    chip(expression, () => ask({ expression }))));
  showWrong(wrong, ask);
  byId("relations").replaceChildren();
  byId("relations-box").hidden = true;
  if (isTrained) addRelations({ known, ask, isShown, isCurrent }).catch(() => {}); // optional
  return questions[0];
}

async function addRelations({ known, ask, isShown, isCurrent }) {
  const found = await checkedRelations(await known);
  if (!isCurrent()) return;
  byId("relations").replaceChildren(...found.map(({ name, pairs, asked }) => {
    const one = chip(name, () => ask({ pairs }));
    one.firstChild.title = `The model answers ${pairs.length} of ${asked} questions about this relation right.`;
    one.firstChild.dataset.pairs = JSON.stringify(pairs);
    one.firstChild.setAttribute("aria-pressed", String(isShown(pairs)));
    one.firstChild.append(make("span", { className: "count" }, ` ${pairs.length} of ${asked} right`));
    return one;
  }));
  byId("relations-box").hidden = found.length === 0;
}

/** Models that were not trained answer no analogy; their examples are single words. */
function firstWords(examples) {
  return [...new Set(examples.map((one) => one.split(" ")[0]))];
}

function showWrong(wrong, ask) {
  byId("wrong").replaceChildren(...wrong.map(({ expression, expected, got }) => make("li", {},
    make("button", { type: "button", onclick: () => ask({ expression }) }, expression),
    ` A person would say ${expected}; this model says ${got}.`)));
  byId("wrong-box").hidden = wrong.length === 0;
}

function chip(text, onclick) {
  return make("li", {}, make("button", { type: "button", onclick }, text));
}
