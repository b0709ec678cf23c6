// Words as numbers in encodings that need no training, and their distances term by term.
//
// Each encoding is {name, title, explanation, rows, working}: `rows(place)` shows the numbers of a word,
// `working(one, other)` works out the distance between two words; words are named by their places.

import { make } from "./shared/dom.js";
import { calculation, sumOf } from "./working.js";

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
      const row = (place) => [words[place], padded[place].slice(0, length)];
      return [
        calculation("Character codes", row(one), row(other)),
        sumOf(terms.slice(0, length).join(" + "), terms),
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
    return [`Most of it comes from position ${column + 1}: ${words[1 - missing]} has the letter ${letter} there, `
      + `${letter.codePointAt(0)}, where ${words[missing]} has nothing, 0. `
      + "So words of different lengths are far apart, whatever they mean."];
  }
  return ["Only the letters count, position by position. The meaning of the words plays no part."];
}

/** One-hot: a position in the vocabulary, with a single 1 there. `frequent` has the first words in order. */
export function onehot(words, frequent, count) {
  const found = words.map((word) => frequent.indexOf(word));
  const position = (number) => (found[number] >= 0 ? (found[number] + 1).toLocaleString("en")
    : `after ${frequent.length.toLocaleString("en")}`);
  return {
    name: "onehot", title: "One-hot",
    explanation: `Every word of the vocabulary has a position of its own in a row of ${count.toLocaleString("en")} `
      + "numbers. A word is a row of zeros, with a single 1 at its position.",
    rows: (number) => {
      const row = make("span", { className: "one-hot" }, make("i"));
      row.firstChild.style.setProperty("--place", Math.max(found[number], 0) / Math.max(count - 1, 1));
      if (found[number] < 0) row.firstChild.hidden = true;
      const text = make("span", {}, `0 … 0 1 0 … 0, position ${position(number)}`);
      return make("span", { className: "places" }, row, text);
    },
    working: (one, other) => [
      calculation("One-hot", [words[one], [1, 0, 0]], [words[other], [0, 1, 0]],
        [`position ${position(one)}`, `position ${position(other)}`, "all others"]),
      sumOf("1 + 1 + 0", [1, 1]),
      make("p", {}, "Any two different words differ in exactly these two positions. So every distance is "
        + "√2 = 1.4142, and no word is nearer to another than the rest."),
    ],
  };
}
