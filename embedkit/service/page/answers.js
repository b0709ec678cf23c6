// The nearest words as a list with bars; the arrow keys move through it.

import { byId, make } from "./shared/dom.js";

const UNITS = {
  cosine: "Cosine similarity compares directions, not lengths: 1 means the same direction.",
  l2: "Euclidean distance between the raw vectors: smaller is nearer. The longest bar is the nearest word, "
    + "the shortest the farthest in this list.",
  dot: "Dot product: larger is nearer; it favors long vectors.",
};

const TIED = "All these words are equally near, so their order means nothing.";
const LONGEST_SPOKEN = 60; // characters of an expression that a screen reader reads aloud

// The length of a bar, from 0 to 1, for a score, the best score and the worst.
const LENGTHS = {
  cosine: (score) => score,
  // Distances differ little from each other, so that the bars show their differences.
  l2: (score, best, worst) => (worst > best ? 0.1 + 0.9 * (worst - score) / (worst - best) : 1),
  dot: (score, best) => score / best,
};

const IDS = { list: "answers", unit: "unit", status: "answers-status" };

export class Answers {
  /** `ids` are those of the list, of the line above it, and of its status for screen readers. */
  constructor({ explore, leave, highlight, ids = IDS }) {
    this.ids = ids;
    this.list = byId(ids.list);
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) explore(button.dataset.word);
    });
    this.list.addEventListener("keydown", (event) => this.moveFocus(event, leave));
    for (const [start, end] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
      this.list.addEventListener(start, (event) => {
        highlight(event.target.closest("button")?.dataset.word ?? null);
      });
      this.list.addEventListener(end, () => highlight(null));
    }
  }

  show(question, answers, metric) {
    const [best, worst] = [answers[0]?.score ?? 1, answers.at(-1)?.score ?? 1];
    const isTied = answers.length > 1 && best - worst === 0;
    byId(this.ids.unit).textContent = isTied ? `${UNITS[metric]} ${TIED}` : UNITS[metric];
    this.list.replaceChildren(...answers.map(({ word, score }) => {
      const bar = make("span", { className: "bar", "aria-hidden": "true" });
      bar.style.setProperty("--length", Math.min(1, Math.max(0, LENGTHS[metric](score, best, worst))));
      const button = make("button", { type: "button", title: `Words near ${word}` },
        make("span", { className: "word" }, word), bar,
        make("span", { className: "score" }, score.toFixed(4)));
      button.dataset.word = word;
      return make("li", {}, button);
    }));
    this.list.classList.toggle("tied", isTied);
    this.markStale(false);
    const results = answers.length === 1 ? "1 result" : `${answers.length} results`;
    byId(this.ids.status).textContent = answers.length
      ? `${results} for ${spoken(question)}; the nearest is ${answers[0].word}.`
      : `No results for ${spoken(question)}.`;
  }

  clear() {
    this.list.replaceChildren();
    byId(this.ids.unit).textContent = "";
  }

  /** Dim the list while it does not belong to the current expression. */
  markStale(isStale) {
    this.list.classList.toggle("stale", isStale);
  }

  /** Focus the first answer; return whether there is one. */
  enter() {
    const first = this.list.querySelector("button");
    first?.focus();
    return first !== null;
  }

  moveFocus(event, leave) {
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") {
      leave();
    } else if (event.key in steps) {
      const buttons = [...this.list.querySelectorAll("button")];
      const place = buttons.indexOf(document.activeElement) + steps[event.key];
      if (place === -1) leave();
      else buttons[Math.max(0, Math.min(place, buttons.length - 1))].focus();
    } else {
      return;
    }
    event.preventDefault();
  }
}

function spoken(question) {
  return question.length > LONGEST_SPOKEN ? `an expression of ${question.length} characters` : question;
}
