// The lesson in five steps, which can be skipped; the address has the number of the step.

import { byId } from "./shared/dom.js";

const LAST = 5;
// The part of the page that a step is about: the step stands above it, or beside it if there is room.
const ABOUT = { 1: "numbers", 2: "numbers", 3: "numbers", 4: "ask", 5: "ask" };
const BESIDE = { 3: "distances" }; // what a step beside its part shows of it, if not the beginning

export class Guide {
  /** `change(state)` keeps the step in the address; `ask(change)` asks what a step suggests. */
  constructor({ change, ask, compare }) {
    this.change = change;
    this.step = 0;
    byId("guide-open").addEventListener("click", () => this.go(this.step ? 0 : 1));
    byId("guide-next").addEventListener("click", () => this.go(this.step === LAST ? 0 : this.step + 1));
    byId("guide-back").addEventListener("click", () => this.go(this.step - 1));
    byId("guide-close").addEventListener("click", () => this.go(0));
    byId("guide").addEventListener("click", ({ target }) => {
      const { ask: expression, axis, words, show } = target.dataset;
      if (words) compare(words.split(","));
      else if (axis) ask({ expression, axes: "pair", axis: axis.split(",") });
      else if (expression) ask({ expression, axes: "vocabulary" });
      const shown = show ?? (words ? "distances" : axis ? "map-heading" : expression && "ask");
      if (shown) byId(shown)?.scrollIntoView({ block: "start" });
    });
  }

  /** The words that the buttons of the steps need, by button. */
  get offers() {
    return [...byId("guide").querySelectorAll("[data-ask], [data-words]")].map((button) => {
      const { ask = "", axis = "", words = "" } = button.dataset;
      return { button, words: `${ask} ${axis} ${words}`.split(/[^\p{L}]+/u).filter(Boolean) };
    });
  }

  /** Offer only what the model has the words for; `known` is a Set. */
  offer(known) {
    for (const { button, words } of this.offers) button.hidden = !words.every((word) => known.has(word));
  }

  /** Go to a step, as the user asked: keep it in the address, and read its heading aloud. */
  go(step) {
    this.change({ step });
    this.show(step);
    if (step) {
      const heading = byId("guide").querySelector(`[data-step="${step}"] h2`);
      heading.focus({ preventScroll: true });
      this.reveal();
    } else {
      byId("guide-open").focus();
    }
  }

  /** Scroll to the step of a link. */
  reveal() {
    if (!this.step) return;
    const isBeside = getComputedStyle(byId("guide")).position === "fixed";
    const shown = isBeside ? byId(BESIDE[this.step]) ?? byId(ABOUT[this.step]) : byId("guide");
    shown.scrollIntoView({ block: "start" });
  }

  /** Show a step, or none. */
  show(step) {
    if (step === this.step) return;
    this.step = step;
    const guide = byId("guide");
    guide.hidden = step === 0;
    document.body.classList.toggle("has-guide", step > 0);
    byId("guide-open").setAttribute("aria-expanded", String(step > 0));
    if (!step) return;
    for (const article of guide.querySelectorAll("[data-step]")) {
      article.hidden = article.dataset.step !== String(step);
      const heading = article.querySelector("h2");
      heading.tabIndex = -1;
      heading.id = article.hidden ? "" : "guide-heading";
    }
    byId("guide-progress").textContent = `Lesson, step ${step} of ${LAST}`;
    byId("guide-back").hidden = step === 1;
    byId("guide-next").textContent = step === LAST ? "Done" : "Next";
    byId(ABOUT[step]).before(guide);
  }
}
