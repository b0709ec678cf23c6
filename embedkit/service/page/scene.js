// Draws the map: first the question, then as many other words as fit.

/** The kinds of labels, for `Overlay`. */
export const LABELS = {
  term: { font: "600 18px", family: "serif", height: 20, color: "accent" },
  composed: { font: "italic 600 18px", family: "serif", height: 20, color: "accent" },
  answer: { font: "600 16px", family: "serif", height: 18, color: "answer" },
  active: { font: "600 17px", family: "serif", height: 19, color: "ink" },
  word: { font: "12px", family: "sans", height: 15, color: "label", halo: 3.5 },
};
const LABELS_PER_PIXEL = 1 / 8000;
const LEFT_OR_RIGHT = [[1, 0], [-1, 0]];

/** Draw the arrows, dots and labels of a question; return the words that got a label. */
export function drawFigure(overlay, view, figure, { active, age }) {
  const at = (place) => view.toPixels(place);
  for (const { from, to } of figure.sides) {
    overlay.line(at(from), at(to), { color: "line", width: 1.5, dashed: true });
  }
  for (const { from, to } of figure.arrows) {
    overlay.line(at(from), at(to), { color: "accent", width: 2.5, arrow: true });
  }
  if (figure.target) overlay.ring(at(figure.target), 7, "accent");
  const answers = figure.answers.filter(isPlaced);
  const terms = figure.terms.filter(isPlaced);
  // From the farthest to the nearest, so that the nearest is on top.
  [...answers.entries()].reverse().forEach(([rank, answer]) => {
    if (figure.isPairs) return overlay.dot(at(answer), 5, "answer");
    overlay.dot(at(answer), rank === 0 ? 6 : 4, "answer", { glow: rank === 0 ? age : age * 0.6 });
  });
  for (const term of terms) overlay.dot(at(term), 5, "accent");
  if (active) overlay.dot(at(active), 6, "ink", { glow: 1 });

  if (active?.word) overlay.label(active.word, at(active), "active", { must: true, gap: 10 });
  return nameFigure(overlay, at, { terms, answers, active });
}

/** Write the words of the question and the best answer in any case, the other answers where there is room. */
function nameFigure(overlay, at, { terms, answers, active }) {
  const labeled = [];
  const name = (one, style, options) => {
    if (labeled.some(({ word }) => word === one.word)) return;
    const isActive = one.word === active?.word;
    if (isActive || overlay.label(one.word, at(one), style, { leader: true, ...options })) labeled.push(one);
  };
  for (const term of terms) name(term, term.isComposed ? "composed" : "term", { must: true, gap: 9 });
  for (const [rank, answer] of answers.entries()) {
    name(answer, "answer", { must: rank === 0, gap: rank === 0 ? 11 : 8 });
  }
  return labeled;
}

/**
 * Label the words of `ids`, in this order, where there is room; return those labeled.
 *
 * `placeOf(id)` returns {x, y}, `wordOf(id)` the word, or null while it is being fetched. Words in
 * `named` and the active word have a label already.
 */
export function drawWords(overlay, view, ids, { placeOf, wordOf, named, active }) {
  const { left, right, bottom, top } = view.rectangle;
  const most = Math.round(view.width * view.height * LABELS_PER_PIXEL);
  const labeled = [];
  for (const id of ids) {
    if (labeled.length >= most) break;
    const { x, y } = placeOf(id);
    if (x < left || x > right || y < bottom || y > top) continue;
    const word = wordOf(id);
    if (!word || named.has(word)) continue;
    const options = { gap: 5, positions: LEFT_OR_RIGHT };
    if (word === active?.word || overlay.label(word, view.toPixels({ x, y }), "word", options)) {
      labeled.push({ id, word, x, y });
    }
  }
  return labeled;
}

function isPlaced({ x }) {
  return x !== undefined;
}
