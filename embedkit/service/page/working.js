// How a Euclidean distance is worked out, in a small table and a line.

import { make } from "./shared/dom.js";

/** A small table: the numbers of two words, their differences, and the squares. */
export function calculation(title, [one, left], [other, right], places = null) {
  const row = (name, values) => make("tr", {}, make("th", { scope: "row" }, name),
    ...values.map((value) => make("td", {}, String(value).replace("-", "−"))));
  const differences = left.map((value, place) => value - right[place]);
  const head = places ? [make("thead", {}, make("tr", {}, make("td"),
    ...places.map((place) => make("th", { scope: "col" }, place))))] : [];
  const label = `${title}: ${one} and ${other}`;
  return make("div", { className: "frame", role: "region", "aria-label": label, tabIndex: 0 }, make("table",
    { className: "calculation" }, ...head, make("tbody", {}, row(one, left), row(other, right),
      row("difference", differences), row("squared", differences.map((value) => value ** 2)))));
}

/** The sum of the squares and its root, which is the Euclidean distance. */
export function sumOf(written, terms) {
  const sum = terms.reduce((total, term) => total + term, 0);
  const short = (value) => Number(value.toFixed(4)).toLocaleString("en", { maximumFractionDigits: 4 });
  return make("p", { className: "sum" }, `${written} = ${short(sum)}`, make("br"),
    `√${short(sum)} = `, make("b", {}, short(Math.sqrt(sum))));
}
