// The lesson: the same words as numbers in three encodings, and what distance means in each.

import { charcode, onehot } from "./encodings.js";
import { latest, post } from "./api.js";
import { debounced } from "./debounce.js";
import { distanceTable } from "./distance-table.js";
import { nearestWords } from "./nearest-words.js";
import { byId, make } from "./shared/dom.js";
import { trainedEncoding } from "./trained-encoding.js";

export const FIRST = ["cat", "bat", "car", "paw"];
const MOST = 6; // words compared
const FROM_QUESTION = 5;
const REST = 200; // milliseconds that the pointer rests on a pair before neighbors are looked up
const FREQUENT = 20_000; // words among which places, and neighbors in character codes, are found

export class Lesson {
  /** `words` lists the vocabulary by id; `change(state)` keeps the chosen words in the address. */
  constructor({ words, change }) {
    this.vocabulary = words;
    this.change = change;
    this.signal = latest();
    this.model = null;
    this.pair = [0, 1];
    this.measure = "raw";
    this.showNearestSoon = debounced((word) => this.showNearest(word), REST);
    byId("words-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose(byId("lesson-words").value.split(/[\s,]+/).filter(Boolean).slice(0, MOST));
    });
    byId("lesson-question").addEventListener("click", () => this.choose(this.ofQuestion));
    document.documentElement.addEventListener("theme", () => this.draw());
  }

  /** Start with a model, whose description this is; `known` is a promise of words that it knows. */
  begin(model, known) {
    this.model = model;
    this.default = known.then((words) => (FIRST.every((word) => words.has(word)) ? FIRST : null), () => null);
    this.key = "";
    this.found = null;
  }

  /** Follow the question, whose words are compared until the user chooses others. */
  async follow(words, state) {
    this.ofQuestion = words.slice(0, FROM_QUESTION);
    const chosen = state.words.length ? state.words.slice(0, MOST) : await this.default ?? this.ofQuestion;
    await this.compare(chosen);
  }

  async choose(words) {
    if (!words.length) return;
    this.change({ words });
    await this.compare(words);
  }

  /** Compare words, unless they are compared already. */
  async compare(words) {
    if (this.key === words.join(" ")) return;
    const current = this.signal();
    if (document.activeElement !== byId("lesson-words")) byId("lesson-words").value = words.join(" ");
    try {
      this.found = await this.load([...new Set(words)], current);
      this.key = words.join(" ");
      this.pair = [0, Math.min(1, this.found.words.length - 1)];
      byId("lesson-problem").textContent = "";
      this.draw();
    } catch (error) {
      if (error.name === "AbortError" || current.aborted) return;
      const known = error.suggestions?.length ? ` Did you mean ${error.suggestions.join(" or ")}?` : "";
      byId("lesson-problem").textContent = error.type === "unknown_word"
        ? `${error.word} is not in the vocabulary of this model.${known}` : error.message;
    }
  }

  /** Return the distances between words in each encoding, and what they are worked out from. */
  async load(words, current) {
    const { tables } = await post("v1/compare", { words }, current);
    const trained = Object.keys(tables).find((name) => !["charcode", "onehot"].includes(name)) ?? null;
    const vectors = trained ? await rawVectors(words, current) : [];
    const frequent = await this.vocabulary.first(FREQUENT);
    current.throwIfAborted();
    const encodings = [charcode(words), onehot(words, frequent, this.model.words),
      trainedEncoding(trained, vectors, this.model)];
    return { words, tables, trained, frequent, encodings };
  }

  draw() {
    if (!this.found) return;
    const { words, tables, encodings } = this.found;
    byId("tables").replaceChildren(...encodings.map((encoding) => {
      const heading = make("h3", { id: `lesson-${encoding.name}` }, encoding.title);
      const explanation = make("p", {}, encoding.explanation);
      if (!encoding.rows) return make("article", {}, heading, explanation, make("p", { className: "absent" },
        "This model has no skip-gram vectors; embedkit train creates them."));
      return make("article", {}, heading, explanation, make("div", {}, ...words.map((word, place) =>
        make("div", { className: "as-numbers" }, make("b", {}, word), encoding.rows(place)))),
      this.tableOf(encoding, tables[encoding.name]),
      make("div", { className: "working", id: `working-${encoding.name}` }),
      make("div", { className: "nearest", id: `nearest-${encoding.name}` }));
    }));
    this.showPair(this.pair);
  }

  tableOf(encoding, distances) {
    const shown = distanceTable({
      name: encoding.name, title: encoding.title, words: this.found.words,
      table: encoding.measured ? encoding.measured(this.measure) ?? distances : distances,
      isSimilarity: encoding.measured !== undefined && this.measure === "cosine",
      choose: (pair) => this.showPair(pair),
    });
    const id = encoding.name === "charcode" ? { id: "distances" } : {};
    return make("div", id, ...(encoding.measured ? [this.measureChoice()] : [
      make("p", { className: "unit" }, "Euclidean distance:")]), ...shown);
  }

  /** The distances of the trained vectors can be measured in three ways. */
  measureChoice() {
    const choices = { raw: "Euclidean, raw vectors", unit: "Euclidean, vectors of length 1",
      cosine: "cosine similarity" };
    const select = make("select", { id: "measure" }, ...Object.entries(choices).map(([value, text]) =>
      make("option", { value, selected: value === this.measure }, text)));
    select.addEventListener("change", () => {
      this.measure = select.value;
      this.draw();
      byId("measure").focus();
    });
    return make("label", { className: "unit" }, "Measure ", select);
  }

  /** Work out the distance between two words, given by their places, in each encoding. */
  showPair(pair) {
    const { words, encodings } = this.found;
    const hasChanged = pair[0] !== this.pair[0];
    this.pair = pair;
    for (const encoding of encodings) {
      if (!encoding.rows) continue;
      byId(`working-${encoding.name}`).replaceChildren(
        make("h4", {}, `${words[pair[0]]} and ${words[pair[1]]}, worked out`), ...encoding.working(...pair));
    }
    for (const cell of document.querySelectorAll("#tables td button")) {
      cell.classList.toggle("shown", cell.dataset.pair === pair.join());
    }
    if (hasChanged || !document.querySelector(".nearest ol")) this.showNearestSoon(words[pair[0]]);
  }

  async showNearest(word) {
    const { found } = this;
    if (!found) return; // another model was chosen in the meantime
    const { frequent, trained } = found;
    for (const [name, list] of nearestWords(word, { frequent, trained, model: this.model })) {
      const place = byId(`nearest-${name}`);
      if (!place) continue;
      const children = await list.catch(() => []);
      if (this.found === found && found.words[this.pair[0]] === word) byId(`nearest-${name}`)?.replaceChildren(...children);
    }
  }
}

/** Return the vectors of words as the model stores them. */
async function rawVectors(words, current) {
  const { data } = await post("v1/embeddings", { input: words, normalize: false }, current);
  return data.map(({ embedding }) => embedding);
}
