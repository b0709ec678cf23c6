// Two models side by side: which model the page shows, and the answers of another one beside it.

import { Answers } from "./answers.js";
import { get, post } from "./api.js";
import { byId, make } from "./shared/dom.js";

export class Versus {
  /** `ask(change)` changes the models of the page; `explore(word)` asks for the words near a word. */
  constructor({ ask, explore, highlight }) {
    this.answers = new Answers({
      ids: { list: "other-answers", unit: "other-unit", status: "other-status" },
      explore, highlight, leave: () => byId("expression").focus(),
    });
    this.names = [];
    byId("model").addEventListener("change", ({ target }) => ask({ model: target.value }));
    byId("other").addEventListener("change", ({ target }) => ask({ other: target.value }));
  }

  /** Load the names of the models; a service with one model offers no choice. */
  async load() {
    const { data } = await get("v1/models").catch(() => ({ data: [] }));
    this.names = data.map(({ id }) => id);
    const options = (names) => names.map((name) => make("option", { value: name }, name));
    byId("model").replaceChildren(...options(this.names));
    byId("other").replaceChildren(make("option", { value: "" }, "no other"), ...options(this.names));
    byId("models").hidden = this.names.length < 2;
  }

  /** Show the chosen models on the controls; return the name of the other one, or "". */
  show({ model, other }) {
    byId("model").value = model || (this.names[0] ?? "");
    const chosen = this.names.includes(other) && other !== byId("model").value ? other : "";
    byId("other").value = chosen;
    byId("other-box").hidden = !chosen;
    byId("results").classList.toggle("two", chosen !== "");
    byId("answers-heading").textContent = chosen ? `Nearest words in ${byId("model").value}` : "Nearest words";
    byId("other-heading").textContent = `Nearest words in ${chosen}`;
    return chosen;
  }

  /** Ask the other model the same question, and say how many of the answers agree. */
  async compare(question, words, state, signal) {
    const other = this.show(state);
    if (!other) return;
    this.answers.markStale(true);
    try {
      const found = await post("v1/query", { ...question, model: other }, signal);
      this.answers.show(question.expression, found.answers, question.metric);
      const common = found.answers.filter(({ word }) => words.includes(word)).length;
      byId("other-note").textContent = `${common} of ${found.answers.length} words are in both lists.`;
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      this.answers.clear();
      byId("other-note").textContent = error.type === "unknown_word"
        ? `${error.word} is not in the vocabulary of this model.` : error.message;
    }
  }
}
