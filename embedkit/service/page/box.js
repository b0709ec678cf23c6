// The expression box: a combobox that completes the word at the caret.

import { get, latest } from "./api.js";
import { debounced } from "./debounce.js";
import { inExpression, isNumber } from "./expression.js";
import { Combobox } from "./shared/combobox.js";
import { byId, make } from "./shared/dom.js";

const LIMIT = 8;
const LOOKED_AT = 200; // among this number of frequent words with the prefix, the exact one is found
const DELAY = 80; // milliseconds
const WORD_CHARACTER = /[^\s()+*/"]/;

/** Return {start, end, typed} of the word at the caret; `typed` is its part before the caret. */
export function wordAt(text, caret) {
  const quotes = [...text.slice(0, caret).matchAll(/"/g)];
  if (quotes.length % 2) {
    const start = quotes.at(-1).index;
    const closing = text.indexOf('"', caret);
    return { start, end: closing < 0 ? text.length : closing + 1, typed: text.slice(start + 1, caret) };
  }
  let start = caret;
  while (start > 0 && WORD_CHARACTER.test(text[start - 1])) start -= 1;
  let end = caret;
  while (end < text.length && WORD_CHARACTER.test(text[end])) end += 1;
  while (start < caret && "-'".includes(text[start])) start += 1;
  return { start, end, typed: text.slice(start, caret) };
}

/**
 * Return known words with this prefix: as typed, else in lower case, else with underscores.
 *
 * The most frequent come first, but before all others the word that is the prefix itself.
 */
async function wordsFrom(typed, signal) {
  const folded = typed.toLowerCase();
  for (const prefix of new Set([typed, folded, folded.replaceAll(" ", "_")])) {
    const { words } = await get(`v1/words?${new URLSearchParams({ prefix, limit: LOOKED_AT })}`, signal);
    const isExact = ({ word }) => word === prefix;
    if (words.length) {
      return [...words.filter(isExact), ...words.filter((one) => !isExact(one))].slice(0, LIMIT);
    }
  }
  return [];
}

export class Box {
  /** `changed(text)` is called on each change, `entered()` on Enter, `down()` on the down arrow. */
  constructor({ changed, entered, down }) {
    this.field = byId("expression");
    this.place = null;
    this.signal = latest();
    this.changed = changed;
    this.entered = entered;
    this.down = down;
    this.complete = debounced(() => this.lookUp(), DELAY);
    this.options = new Combobox(this.field, byId("completions"), {
      render: (found) => this.render(found),
      take: ({ word }) => this.insert(word),
    });
    this.field.addEventListener("input", () => {
      this.resize();
      this.changed(this.field.value);
      this.complete();
    });
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.field.addEventListener("blur", () => this.close());
    addEventListener("keydown", (event) => {
      const isTyping = event.target.matches?.("input, select, textarea");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.focus();
    });
  }

  /** Fit the size of the letters to the length of the text. */
  resize() {
    this.field.style.setProperty("--characters", Math.max(this.value.length, this.field.placeholder.length));
  }

  get value() {
    return this.field.value;
  }

  set value(text) {
    if (text !== this.field.value) this.field.value = text;
    this.resize();
    this.close();
  }

  focus() {
    this.field.focus();
    this.field.setSelectionRange(this.value.length, this.value.length);
  }

  async lookUp() {
    const place = wordAt(this.value, this.field.selectionStart);
    if (!place.typed || isNumber(place.typed)) return this.close();
    try {
      const words = await wordsFrom(place.typed, this.signal());
      const isComplete = words.length === 1 && words[0].word === place.typed;
      if (isComplete || document.activeElement !== this.field) return this.close();
      this.place = place;
      this.options.open(words);
    } catch {
      this.close(); // completion is optional; the answer itself will report the problem
    }
  }

  render({ word, count }) {
    const { length } = this.place.typed;
    return [
      make("span", {}, make("b", {}, word.slice(0, length)), word.slice(length)),
      make("span", { className: "count", title: "occurrences in the corpus" },
        count ? count.toLocaleString("en") : ""),
    ];
  }

  close() {
    this.complete.cancel();
    this.signal();
    this.place = null;
    this.options.close();
  }

  press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.pressed(event.key, event.shiftKey)) event.preventDefault();
  }

  /** Handle a key; return whether it did something. */
  pressed(key, shift) {
    const { options } = this;
    if (options.press(key)) return true;
    if (key === "ArrowDown") return this.down();
    if (key === "Tab" && !shift && options.active >= 0) {
      options.choose(options.active);
    } else if (key === "Escape" && options.isOpen) {
      this.close();
    } else if (key === "Enter") {
      this.close();
      this.entered();
    } else {
      return false;
    }
    return true;
  }

  insert(word) {
    const { start, end } = this.place;
    this.field.setRangeText(inExpression(word), start, end, "end");
    this.resize();
    this.close();
    this.changed(this.value);
  }
}
