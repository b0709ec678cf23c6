// A table of the distances between words, in which each cell shows how it is worked out.

import { make } from "./shared/dom.js";

const EQUAL_WITHIN = 1e-6;

/**
 * Return a table in a frame, and a sentence about it.
 *
 * `choose([row, column])` is called for the cell that the pointer or the focus is on. The arrow keys
 * move through the cells.
 */
export function distanceTable({ name, title, words, table, isSimilarity, choose }) {
  const frame = make("div", { className: "frame", role: "region", "aria-label": `${title}, table`, tabIndex: 0 },
    tableOf({ name, words, table, isSimilarity, choose }));
  return [frame, make("p", { className: "verdict" }, ...closestPair(words, table, isSimilarity))];
}

function tableOf({ name, words, table, isSimilarity, choose }) {
  const values = pairs(words, table).map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const head = make("tr", {}, make("td"),
    ...words.map((word) => make("th", { scope: "col" }, word)));
  const rows = words.map((word, row) => make("tr", {}, make("th", { scope: "row" }, word),
    ...words.map((other, column) => {
      const value = table[row][column];
      if (row === column) return make("td", { className: "self" }, isSimilarity ? "1" : "0");
      const cell = make("td", {}, make("button", {
        type: "button", tabIndex: row === 0 && column === 1 ? 0 : -1, title: "Show how it is worked out",
        "data-pair": `${row},${column}`,
      }, value.toFixed(digits(most))));
      // From 0 for the farthest words to 1 for the nearest.
      const share = most - least > EQUAL_WITHIN ? (most - value) / (most - least) : 0.35;
      cell.style.setProperty("--near", (isSimilarity && most > least ? 1 - share : share).toFixed(3));
      return cell;
    })));
  const measure = isSimilarity ? "Cosine similarities" : "Euclidean distances";
  const caption = make("caption", { className: "hidden" }, measure);
  const result = make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...rows));
  result.dataset.encoder = name;
  listen(result, choose);
  return result;
}

function listen(table, choose) {
  const pairOf = ({ target }) =>
    target.closest("[data-pair]")?.dataset.pair.split(",").map(Number);
  for (const kind of ["pointerover", "focusin", "click"]) {
    table.addEventListener(kind, (event) => {
      const pair = pairOf(event);
      if (pair) choose(pair);
    });
  }
  table.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const pair = pairOf(event);
    const step = steps[event.key];
    if (!pair || !step) return;
    event.preventDefault();
    let [row, column] = [pair[0] + step[0], pair[1] + step[1]];
    if (row === column) [row, column] = [row + step[0], column + step[1]]; // no distance to itself
    table.querySelector(`[data-pair="${row},${column}"]`)?.focus();
  });
}

function digits(most) {
  return most >= 100 ? 1 : most >= 10 ? 2 : 4;
}

function pairs(words, table) {
  return words.flatMap((one, row) => words.slice(row + 1).map((other, place) => (
    { one, other, value: table[row][row + 1 + place] })));
}

/** Name the two closest words. */
function closestPair(words, table, isSimilarity) {
  const sign = isSimilarity ? -1 : 1;
  const found = pairs(words, table).sort((left, right) => sign * (left.value - right.value));
  if (found.length < 2) return [];
  if (Math.abs(found.at(-1).value - found[0].value) <= EQUAL_WITHIN) return ["All pairs are equally far apart."];
  const { one, other } = found[0];
  return ["Closest pair: ", make("b", {}, one), " and ", make("b", {}, other), "."];
}
