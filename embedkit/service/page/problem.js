// Error messages below the expression: what is wrong, where, and what to try.

import { byId, make } from "./shared/dom.js";

/** Show an error of the service; `correct(error, right)` is called for a chosen suggestion. */
export function showProblem(error, correct) {
  const parts = [make("p", {}, capitalized(error.message), " ", error.hint)];
  if (error.type === "unknown_word") {
    parts[0] = make("p", {}, make("b", {}, error.word), " is not in the vocabulary of this model.");
    if (error.suggestions?.length) parts.push(suggestions(error, correct));
  }
  if (error.type === "bad_expression" && error.column) parts.push(marked(error));
  byId("problem").replaceChildren(...parts);
  byId("expression").setAttribute("aria-invalid", "true");
}

export function hideProblem() {
  byId("problem").replaceChildren();
  byId("expression").removeAttribute("aria-invalid");
}

/** Say how an expression was read, if not as it was written. */
export function showReading(reading) {
  byId("read-as").replaceChildren("Read as ", make("b", {}, reading), ".");
  byId("read-as").hidden = !reading;
}

/** Say which words of the question are not in the vocabulary, but have a composed vector. */
export function showComposed(words) {
  const named = words.flatMap((word) => [", ", make("b", {}, word)]).slice(1);
  const verb = words.length === 1 ? " is not in the vocabulary; its vector is" :
    " are not in the vocabulary; their vectors are";
  byId("composed").replaceChildren(...named, `${verb} composed of character n-grams.`);
  byId("composed").hidden = words.length === 0;
}

function capitalized(message) {
  return message.charAt(0).toUpperCase() + message.slice(1) + (/[.?!]$/.test(message) ? "" : ".");
}

function suggestions(error, correct) {
  return make("p", { className: "chips" }, "Did you mean ",
    ...error.suggestions.map((right) => make("button", {
      type: "button", onclick: () => correct(error, right),
    }, right)));
}

/** The expression with the wrong character marked; a space if the error is at its end. */
function marked({ expression, column }) {
  const place = column - 1;
  return make("pre", {}, expression.slice(0, place),
    make("mark", { title: `column ${column}` }, expression.slice(place, place + 1).trim() || " "),
    expression.slice(place + 1));
}
