// What went wrong, said kindly: what it was, where, and what to try.

import { byId, make } from "./dom.js";

/** Show an error of the service; `mend(wrong, right)` is called when a suggestion is taken. */
export function showProblem(error, mend) {
  const parts = [make("p", {}, sentence(error.message), " ", error.hint)];
  if (error.type === "unknown_word") {
    parts[0] = make("p", {}, make("b", {}, error.word), " is not among the words of this model.");
    if (error.suggestions?.length) parts.push(suggestions(error, mend));
  }
  if (error.type === "bad_expression" && error.column) parts.push(marked(error));
  byId("problem").replaceChildren(...parts);
  byId("expression").setAttribute("aria-invalid", "true");
}

export function hideProblem() {
  byId("problem").replaceChildren();
  byId("expression").removeAttribute("aria-invalid");
}

/** The first line of a message; the caret that follows it for terminals is drawn by `marked`. */
function sentence(message) {
  const [line] = message.split("\n");
  return line[0].toUpperCase() + line.slice(1) + (/[.?!]$/.test(line) ? "" : ".");
}

function suggestions({ word, suggestions: known }, mend) {
  return make("p", { className: "chips" }, "Did you mean ", ...known.map((right) => make("button", {
    type: "button", onclick: () => mend(word, right),
  }, right)));
}

/** The expression with the character where it went wrong marked; at its end, a space. */
function marked({ expression, column }) {
  const place = column - 1;
  return make("pre", {}, expression.slice(0, place),
    make("mark", { title: `column ${column}` }, expression.slice(place, place + 1).trim() || " "),
    expression.slice(place + 1));
}
