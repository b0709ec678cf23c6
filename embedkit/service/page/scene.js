// What stands on the map in which order: first the question, then as many other words as fit.

const LABELS_A_PIXEL = 1 / 8000;
const BESIDE = [[1, 0], [-1, 0]];

/** Draw a question's arrows, dots and labels; return those that could be labelled. */
export function drawFigure(overlay, view, figure, { told, age }) {
  const at = ({ x, y }) => view.toPixels(x, y);
  for (const { from, to } of figure.sides) {
    overlay.line(at(from), at(to), { colour: "line", width: 1.5, dashed: true });
  }
  for (const { from, to } of figure.arrows) {
    overlay.line(at(from), at(to), { colour: "accent", width: 2.5, arrow: true });
  }
  if (figure.target) overlay.ring(at(figure.target), 7, "accent");
  const answers = figure.answers.filter(isPlaced);
  const terms = figure.terms.filter(isPlaced);
  // From the last to the first, so that the nearest lies on top.
  [...answers.entries()].reverse().forEach(([rank, answer]) => {
    overlay.dot(at(answer), rank === 0 ? 6 : 4, "answer", rank === 0 ? age : age * 0.6);
  });
  for (const term of terms) overlay.dot(at(term), 5, "accent");
  if (told) overlay.dot(at(told), 6, "ink", 1);

  if (told?.word) overlay.label(told.word, at(told), "told", { must: true, gap: 10 });
  const labelled = [];
  const name = (one, style, options) => {
    const isTold = one.word === told?.word;
    if (isTold || overlay.label(one.word, at(one), style, options)) labelled.push(one);
  };
  for (const term of terms) name(term, "term", { must: true, gap: 9 });
  for (const [rank, answer] of answers.entries()) {
    name(answer, "answer", { gap: rank === 0 ? 11 : 8 });
  }
  return labelled;
}

/**
 * Label the words of `ids`, in this order, where there is room; return them.
 *
 * `placeOf(id)` gives {x, y}, `wordOf(id)` the word or, while it is being fetched, null. Words that
 * are in `named`, or are told, have their label already.
 */
export function drawWords(overlay, view, ids, { placeOf, wordOf, named, told }) {
  const { left, right, bottom, top } = view.rectangle;
  const most = Math.round(view.width * view.height * LABELS_A_PIXEL);
  const labelled = [];
  for (const id of ids) {
    if (labelled.length >= most) break;
    const { x, y } = placeOf(id);
    if (x < left || x > right || y < bottom || y > top) continue;
    const word = wordOf(id);
    if (!word || named.has(word)) continue;
    const options = { gap: 5, spots: BESIDE };
    if (word === told?.word || overlay.label(word, view.toPixels(x, y), "word", options)) {
      labelled.push({ id, word, x, y });
    }
  }
  return labelled;
}

/** Return bounds with some room around places; a single place gets some as well. */
export function room(places) {
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const spare = Math.max(right - left, top - bottom, 0.01) * 0.25;
  return { left: left - spare, right: right + spare, bottom: bottom - spare, top: top + spare };
}

/** Return a computed CSS colour as four shares of 1. */
export function shares(colour) {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return [red / 255, green / 255, blue / 255, alpha];
}

function isPlaced({ x }) {
  return x !== undefined;
}
