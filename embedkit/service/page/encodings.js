// Words as numbers in three encodings, and the distance between two of them term by term.
//
// Each encoding is {name, title, explanation, rows, working}: `rows(place)` shows the numbers of a word,
// `working(one, other)` the distance between two words. `measured(measure)` gives other tables.

import { make } from "./shared/dom.js";
import { squares, strip } from "./strip.js";

const SHOWN_TERMS = 3;
const TITLES = { skipgram: "Skip-gram", subword: "Subwords" };

/** Character codes: the code points of the letters; a shorter word is filled up with zeros. */
export function charcode(words) {
  const letters = words.map((word) => [...word]);
  const codes = letters.map((one) => one.map((letter) => letter.codePointAt(0)));
  const width = Math.max(...codes.map(({ length }) => length));
  const padded = codes.map((one) => [...one, ...Array(width - one.length).fill(0)]);
  return {
    name: "charcode", title: "Character codes",
    explanation: "Every letter has a number, its character code: a is 97, b is 98, c is 99. A word is the "
      + "numbers of its letters. Shorter words are filled up with zeros.",
    rows: (place) => make("span", { className: "codes" }, ...padded[place].map((code, column) =>
      make("span", { className: code ? "" : "padding" },
        make("small", {}, letters[place][column] ?? ""), ` ${code} `))),
    working: (one, other) => {
      const differences = padded[one].map((code, column) => code - padded[other][column]);
      const terms = differences.map((value) => value ** 2);
      const length = Math.max(codes[one].length, codes[other].length);
      return [
        calculation("Character codes", [words[one], padded[one].slice(0, length)], [words[other], padded[other].slice(0, length)]),
        result(terms.slice(0, length).join(" + "), terms),
        make("p", {}, ...whyFar([words[one], words[other]], [letters[one], letters[other]], terms)),
      ];
    },
  };
}

/** Say which letter makes most of the distance in character codes. */
function whyFar(words, letters, terms) {
  const total = terms.reduce((sum, term) => sum + term, 0);
  if (total === 0) return ["The words are the same."];
  const column = terms.indexOf(Math.max(...terms));
  const missing = letters.findIndex((one) => one[column] === undefined);
  if (missing >= 0 && terms[column] > total / 2) {
    const letter = letters[1 - missing][column];
    return [`Most of it comes from place ${column + 1}: ${words[1 - missing]} has the letter ${letter} there, `
      + `${letter.codePointAt(0)}, where ${words[missing]} has nothing, 0. `
      + "So words of different lengths are far apart, whatever they mean."];
  }
  return ["Only the letters count, place by place. The meaning of the words plays no part."];
}

/** One-hot: a place in the vocabulary, with a single 1 there. `frequent` has the first words in order. */
export function onehot(words, frequent, count) {
  const found = words.map((word) => frequent.indexOf(word));
  const place = (number) => (found[number] >= 0 ? (found[number] + 1).toLocaleString("en") : "further down");
  return {
    name: "onehot", title: "One-hot",
    explanation: `Every word of the vocabulary has a place of its own in a row of ${count.toLocaleString("en")} `
      + "numbers. A word is a row of zeros, with a single 1 at its place.",
    rows: (number) => {
      const row = make("span", { className: "one-hot" }, make("i"));
      row.firstChild.style.setProperty("--place", Math.max(found[number], 0) / Math.max(count - 1, 1));
      if (found[number] < 0) row.firstChild.hidden = true;
      return make("span", { className: "places" }, row, make("span", {}, `0 … 0 1 0 … 0, place ${place(number)}`));
    },
    working: (one, other) => [
      calculation("One-hot", [words[one], [1, 0, 0]], [words[other], [0, 1, 0]],
        [`place ${place(one)}`, `place ${place(other)}`, "all others"]),
      result("1 + 1 + 0", [1, 1]),
      make("p", {}, "Any two different words differ in exactly these two places. So every distance is "
        + "√2 = 1.4142, and no word is nearer to another than the rest."),
    ],
  };
}

/** The model's own vectors, as it stores them. `name` is null if it was not trained. */
export function trainedEncoding(name, vectors, { dimension, settings }) {
  const title = settings.architecture === "cbow" ? "CBOW" : TITLES[name] ?? (name ? "This model" : "Skip-gram");
  const parts = name === "subword" ? " Words with the same parts of letters start out similar, too." : "";
  const explanation = `The ${name ? `${dimension} ` : ""}numbers of a word are learned by reading: the program moves them until words `
    + `that occur in similar sentences have similar numbers.${parts}`;
  if (!name) return { name: "skipgram", title, explanation };
  const largest = Math.max(...vectors.flat().map(Math.abs));
  const dot = (one, other) => one.reduce((sum, value, place) => sum + value * other[place], 0);
  const cosine = (one, other) => dot(one, other) / (Math.hypot(...one) * Math.hypot(...other) || 1);
  const unit = (one, other) => Math.sqrt(Math.max(2 - 2 * cosine(one, other), 0));
  const table = (measure) => vectors.map((one) => vectors.map((other) => measure(one, other)));
  return {
    name, title, explanation,
    rows: (place) => strip(vectors[place], largest),
    measured: (measure) => ({ cosine: () => table(cosine), unit: () => table(unit), raw: () => null })[measure](),
    working: (one, other) => {
      const [left, right] = [vectors[one], vectors[other]];
      const terms = left.map((value, place) => (value - right[place]) ** 2);
      const number = (value) => value.toFixed(2).replace("-", "−");
      const written = terms.slice(0, SHOWN_TERMS).map((_, place) =>
        `(${number(left[place])} − ${number(right[place])})²`.replace("− −", "+ ")).join(" + ");
      const more = terms.length > SHOWN_TERMS ? ` + … ${terms.length - SHOWN_TERMS} more` : "";
      return [
        squares(terms),
        result(written + more, terms),
        measures(dot(left, right), Math.hypot(...left), Math.hypot(...right), unit(left, right)),
      ];
    },
  };
}

/** The three ways to measure, from the dot product and the lengths of two vectors. */
function measures(product, one, other, unit) {
  const cosine = product / (one * other || 1);
  return make("ul", { className: "measures" },
    make("li", {}, `This is the Euclidean distance of the raw vectors, whose lengths are ${one.toFixed(2)} and ${other.toFixed(2)}.`),
    make("li", {}, `Cosine similarity compares only their directions: ${product.toFixed(2)} / (${one.toFixed(2)} × `
      + `${other.toFixed(2)}) = ${cosine.toFixed(4)}.`.replace(/-/g, "−")),
    make("li", {}, `Scaled to length 1, their Euclidean distance is √(2 − 2 × ${cosine.toFixed(4)}) = ${unit.toFixed(4)}.`
      .replace(/-/g, "−")));
}

/** A small table: the numbers of two words, their differences, and the squares. */
function calculation(title, [one, left], [other, right], places = null) {
  const row = (name, values) => make("tr", {}, make("th", { scope: "row" }, name),
    ...values.map((value) => make("td", {}, String(value).replace("-", "−"))));
  const differences = left.map((value, place) => value - right[place]);
  const head = places ? [make("thead", {}, make("tr", {}, make("td"),
    ...places.map((place) => make("th", { scope: "col" }, place))))] : [];
  return make("div", { className: "frame", role: "region", "aria-label": `${title}: ${one} and ${other}`, tabIndex: 0 },
    make("table", { className: "calculation" }, ...head, make("tbody", {}, row(one, left), row(other, right),
      row("difference", differences), row("squared", differences.map((value) => value ** 2)))));
}

/** The sum of the squares and its root, which is the Euclidean distance. */
function result(written, terms) {
  const sum = terms.reduce((total, term) => total + term, 0);
  const short = (value) => Number(value.toFixed(4)).toLocaleString("en", { maximumFractionDigits: 4 });
  return make("p", { className: "sum" }, `${written} = ${short(sum)}`, make("br"),
    `√${short(sum)} = `, make("b", {}, short(Math.sqrt(sum))));
}
