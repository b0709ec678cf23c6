// The nearest words as a list with bars; the arrow keys move through it.

import { byId, make } from "./shared/dom.js";

const UNITS = {
  cosine: "Cosine similarity: 1 means the same direction.",
  l2: "Euclidean distance: smaller is nearer.",
  dot: "Dot product: larger is nearer; it favors long vectors.",
};

// The length of a bar, from 0 to 1, for a score and the best score.
const LENGTHS = {
  cosine: (score) => score,
  l2: (score, best) => (score > 0 ? best / score : 1),
  dot: (score, best) => score / best,
};

export class Answers {
  constructor({ explore, leave, highlight }) {
    this.list = byId("answers");
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
    byId("unit").textContent = UNITS[metric];
    const best = answers[0]?.score ?? 1;
    this.list.replaceChildren(...answers.map(({ word, score }) => {
      const bar = make("span", { className: "bar", "aria-hidden": "true" });
      bar.style.setProperty("--length", Math.min(1, Math.max(0, LENGTHS[metric](score, best))));
      const button = make("button", { type: "button", title: `Words near ${word}` },
        make("span", { className: "word" }, word), bar,
        make("span", { className: "score" }, score.toFixed(4)));
      button.dataset.word = word;
      return make("li", {}, button);
    }));
    this.markStale(false);
    const results = answers.length === 1 ? "1 result" : `${answers.length} results`;
    byId("answers-status").textContent = answers.length
      ? `${results} for ${question}; the nearest is ${answers[0].word}.`
      : `No results for ${question}.`;
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
