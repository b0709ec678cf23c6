// The expression box: a combobox that completes the word under the caret.

import { get, latest } from "./api.js";
import { byId, debounced, inExpression, make } from "./dom.js";

const LIMIT = 8;
const WAIT = 80;
const PART = /[^\s()+*/"]/; // what a word, as it is being written, is made of

/** Return where the word under the caret begins and ends; a quotation is one word. */
export function wordAt(text, caret) {
  const quotes = [...text.slice(0, caret).matchAll(/"/g)];
  if (quotes.length % 2) {
    const start = quotes.at(-1).index;
    const closing = text.indexOf('"', caret);
    return { start, end: closing < 0 ? text.length : closing + 1, written: text.slice(start + 1, caret) };
  }
  let start = caret;
  while (start > 0 && PART.test(text[start - 1])) start -= 1;
  let end = caret;
  while (end < text.length && PART.test(text[end])) end += 1;
  while (start < caret && "-'".includes(text[start])) start += 1;
  return { start, end, written: text.slice(start, caret) };
}

/** Return the known words that begin so: as it is written, or else as words are mostly stored. */
async function wordsFrom(written, signal) {
  const folded = written.toLowerCase();
  for (const prefix of new Set([written, folded, folded.replaceAll(" ", "_")])) {
    const { words } = await get(`v1/words?${new URLSearchParams({ prefix, limit: LIMIT })}`, signal);
    if (words.length) return words;
  }
  return [];
}

export class Box {
  /** `changed(text)` is called at each change, `entered()` at Enter, `down()` on the way out. */
  constructor({ changed, entered, down }) {
    this.field = byId("expression");
    this.list = byId("completions");
    this.found = [];
    this.active = -1;
    this.signal = latest();
    this.changed = changed;
    this.entered = entered;
    this.down = down;
    this.complete = debounced(() => this.lookUp(), WAIT);
    this.field.addEventListener("input", () => {
      this.changed(this.field.value);
      this.complete();
    });
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.field.addEventListener("blur", () => this.close());
    // Before the field loses the focus, which a click would wait for.
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("li");
      if (option) this.take([...this.list.children].indexOf(option));
    });
    addEventListener("keydown", (event) => {
      const writes = event.target.matches?.("input, select, textarea");
      if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.focus();
    });
  }

  get value() {
    return this.field.value;
  }

  set value(text) {
    if (text !== this.field.value) this.field.value = text;
    this.close();
  }

  focus() {
    this.field.focus();
    this.field.setSelectionRange(this.value.length, this.value.length);
  }

  get isOpen() {
    return !this.list.hidden;
  }

  async lookUp() {
    const place = wordAt(this.value, this.field.selectionStart);
    if (!place.written) return this.close();
    try {
      const words = await wordsFrom(place.written, this.signal());
      const isWhole = words.length === 1 && words[0].word === place.written;
      if (isWhole || document.activeElement !== this.field) this.close();
      else this.open(words, place);
    } catch {
      this.close(); // completion is a help; what is wrong the answer will say
    }
  }

  open(words, place) {
    this.found = words;
    this.place = place;
    this.active = -1;
    this.list.replaceChildren(...words.map(({ word, count }, number) =>
      make("li", { role: "option", id: `completion-${number}`, "aria-selected": "false" },
        make("span", {}, make("b", {}, word.slice(0, place.written.length)),
          word.slice(place.written.length)),
        make("span", { className: "count", title: "occurrences in the text" },
          count ? count.toLocaleString("en") : ""))));
    this.list.hidden = words.length === 0;
    this.field.setAttribute("aria-expanded", String(words.length > 0));
    this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.complete.cancel();
    this.signal();
    this.open([], null);
  }

  /** Uncover what is said of a wrong word, unless that is the one that the list completes. */
  giveWay(wrong) {
    if (wrong !== undefined && this.place && this.place.written !== wrong) this.close();
  }

  press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.pressed(event.key, event.shiftKey)) event.preventDefault();
  }

  /** Act on a key; true if it means nothing else. */
  pressed(key, shift) {
    if (key === "ArrowDown") {
      if (!this.isOpen) return this.down();
      return this.point(this.active + 1);
    }
    if (key === "ArrowUp" && this.isOpen) return this.point(this.active - 1);
    if (key === "Tab" && !shift && this.isOpen) return this.take(Math.max(0, this.active));
    if (key === "Escape" && this.isOpen) {
      this.close();
      return true;
    }
    if (key !== "Enter") return false;
    if (this.isOpen && this.active >= 0) return this.take(this.active);
    this.close();
    this.entered();
    return true;
  }

  /** Mark an option; before the first and after the last one lies the text itself. */
  point(number) {
    const count = this.found.length;
    this.active = number >= count ? -1 : number < -1 ? count - 1 : number;
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === this.active));
    });
    const option = this.list.children[this.active];
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
    return true;
  }

  take(number) {
    const word = inExpression(this.found[number].word);
    const { start, end } = this.place;
    this.field.setRangeText(word, start, end, "end");
    this.close();
    this.changed(this.value);
    return true;
  }
}
