// The lesson: the same words in three encodings, and what distance means in each.

import { byId, make } from "./dom.js";

const ENCODINGS = [
  ["charcode", "Character codes", "Near is what is spelled alike, place by place."],
  ["onehot", "One-hot", "All words are √2 = 1.4142 apart: it tells them apart, no more."],
  ["skipgram", "Skip-gram", "Near is what keeps the same company in the text: meaning begins."],
];
const EVEN = 1e-6;

export function showLesson({ words, tables }) {
  byId("tables").replaceChildren(...ENCODINGS.map(([name, title, lesson]) => {
    const heading = make("h3", { id: `lesson-${name}` }, title);
    const says = make("p", {}, lesson);
    if (!tables[name]) {
      return make("article", {}, heading, says,
        make("p", { className: "absent" }, "This model holds none; embedkit train makes some."));
    }
    return make("article", {}, heading, says, framed(name, title, words, tables[name]),
      make("p", { className: "verdict" }, ...verdict(words, tables[name])));
  }));
}

/** A table may be wider than a phone: then it scrolls by itself, also by keyboard. */
function framed(name, title, words, table) {
  return make("div", { className: "frame", role: "region", "aria-label": `${title}, table`, tabIndex: 0 },
    tableOf(name, words, table));
}

function tableOf(name, words, table) {
  const away = pairs(words, table).map(({ distance }) => distance);
  const [least, most] = [Math.min(...away), Math.max(...away)];
  const head = make("tr", {}, make("td"),
    ...words.map((word) => make("th", { scope: "col" }, word)));
  const rows = words.map((word, row) => make("tr", {}, make("th", { scope: "row" }, word),
    ...words.map((_, column) => {
      const distance = table[row][column];
      const cell = make("td", {}, row === column ? "0" : distance.toFixed(digits(most)));
      if (row === column) cell.className = "self";
      // From 0, as far as any, to 1, the nearest of them.
      const near = most - least > EVEN ? (most - distance) / (most - least) : 0.35;
      cell.style.setProperty("--near", row === column ? 0 : near.toFixed(3));
      return cell;
    })));
  const caption = make("caption", { className: "hidden" }, "Euclidean distances");
  const result = make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...rows));
  result.dataset.encoder = name;
  return result;
}

function digits(most) {
  return most >= 100 ? 1 : most >= 10 ? 2 : 4;
}

function pairs(words, table) {
  return words.flatMap((one, row) => words.slice(row + 1).map((other, place) => (
    { one, other, distance: table[row][row + 1 + place] })));
}

/** Say which two words are nearest here. */
function verdict(words, table) {
  const found = pairs(words, table).sort((left, right) => left.distance - right.distance);
  if (found.length < 2) return [];
  if (found.at(-1).distance - found[0].distance <= EVEN) return ["No pair is nearer than another."];
  const { one, other } = found[0];
  return ["Nearest here: ", make("b", {}, one), " and ", make("b", {}, other), "."];
}
