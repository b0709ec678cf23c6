// The nearest words: bars, walked through by the arrow keys.

import { byId, make } from "./dom.js";

const UNITS = {
  cosine: "Cosine similarity: 1 is the same direction.",
  l2: "Euclidean distance: the smaller, the nearer.",
  dot: "Dot product: the larger, the nearer; it favours long vectors.",
};

// Each gives the length of the bar, from 0 to 1, of a score beside the best one.
const LENGTHS = {
  cosine: (score) => score,
  l2: (score, best) => (score > 0 ? best / score : 1),
  dot: (score, best) => score / best,
};

export class Answers {
  constructor({ explore, leave, light }) {
    this.list = byId("answers");
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) explore(button.dataset.word);
    });
    this.list.addEventListener("keydown", (event) => this.walk(event, leave));
    for (const [start, end] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
      this.list.addEventListener(start, (event) => {
        light(event.target.closest("button")?.dataset.word ?? null);
      });
      this.list.addEventListener(end, () => light(null));
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
    this.stale(false);
    byId("told").textContent = answers.length
      ? `${answers.length} answers to ${question}; the nearest is ${answers[0].word}.`
      : `No word answers ${question}.`;
  }

  /** Dim what is shown while it is not the answer to what is written. */
  stale(isStale) {
    this.list.classList.toggle("stale", isStale);
  }

  /** Move to the first answer; false if there is none. */
  enter() {
    const first = this.list.querySelector("button");
    first?.focus();
    return first !== null;
  }

  walk(event, leave) {
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
