// The lesson: the distances between the same words in three encodings.

import { byId, make } from "./shared/dom.js";

const CONTEXTS = "Words are close if they occur in similar contexts, and so often have related meanings.";
const ENCODINGS = [
  ["charcode", "Character codes", "Words are close if they have the same letters in the same positions."],
  ["onehot", "One-hot", "All words are √2 = 1.4142 apart, so no two words are closer than others."],
];
const TRAINED = {
  skipgram: ["skipgram", "Skip-gram", CONTEXTS],
  subword: ["subword", "Subwords", `${CONTEXTS} Words with the same parts are close, too.`],
};
const EQUAL_WITHIN = 1e-6;

export function showLesson({ words, tables }) {
  const trained = tables.subword ? TRAINED.subword : TRAINED.skipgram;
  byId("tables").replaceChildren(...[...ENCODINGS, trained].map(([name, title, lesson]) => {
    const heading = make("h3", { id: `lesson-${name}` }, title);
    const explanation = make("p", {}, lesson);
    if (!tables[name]) {
      return make("article", {}, heading, explanation,
        make("p", { className: "absent" }, "This model has no skip-gram vectors; embedkit train creates them."));
    }
    return make("article", {}, heading, explanation, framed(name, title, words, tables[name]),
      make("p", { className: "verdict" }, ...closestPair(words, tables[name])));
  }));
}

/** Return a frame in which a table that is too wide scrolls, by touch or keyboard. */
function framed(name, title, words, table) {
  return make("div", { className: "frame", role: "region", "aria-label": `${title}, table`, tabIndex: 0 },
    tableOf(name, words, table));
}

function tableOf(name, words, table) {
  const distances = pairs(words, table).map(({ distance }) => distance);
  const [least, most] = [Math.min(...distances), Math.max(...distances)];
  const head = make("tr", {}, make("td"),
    ...words.map((word) => make("th", { scope: "col" }, word)));
  const rows = words.map((word, row) => make("tr", {}, make("th", { scope: "row" }, word),
    ...words.map((_, column) => {
      const distance = table[row][column];
      const cell = make("td", {}, row === column ? "0" : distance.toFixed(digits(most)));
      if (row === column) cell.className = "self";
      // From 0 for the largest distance to 1 for the smallest.
      const near = most - least > EQUAL_WITHIN ? (most - distance) / (most - least) : 0.35;
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

/** Name the two closest words. */
function closestPair(words, table) {
  const found = pairs(words, table).sort((left, right) => left.distance - right.distance);
  if (found.length < 2) return [];
  if (found.at(-1).distance - found[0].distance <= EQUAL_WITHIN) return ["All pairs are equally far apart."];
  const { one, other } = found[0];
  return ["Closest pair: ", make("b", {}, one), " and ", make("b", {}, other), "."];
}
