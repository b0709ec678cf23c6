// The figure of a question on the map: its words, arrows and answers.

/**
 * Return {terms, answers, target, analogy, arrows, sides} of a question, in map coordinates.
 *
 * The projection is linear, so a - b + c is where the arrow from b to a ends when it starts at c:
 * `arrows` are these two arrows, `sides` complete the parallelogram. A weighted sum is divided by
 * the sum of its weights, which keeps its direction.
 */
export function figureOf({ terms, answers }, points) {
  const placed = new Map(points.map((point) => [point.word, point]));
  const put = (one) => ({ ...one, ...placed.get(one.word) });
  const figure = {
    terms: terms.map(put), answers: answers.map(put),
    target: null, analogy: null, arrows: [], sides: [],
  };
  const total = terms.reduce((sum, { weight }) => sum + weight, 0);
  if (terms.length < 2 || total <= 1e-9) return figure;
  const sum = (axis) =>
    figure.terms.reduce((found, term) => found + term.weight * term[axis], 0) / total;
  const target = { x: sum("x"), y: sum("y") };
  figure.target = target;
  figure.analogy = asAnalogy(figure.terms);
  if (figure.analogy) {
    const { a, b, c } = figure.analogy;
    figure.arrows = [{ from: b, to: a }, { from: c, to: target }];
    figure.sides = [{ from: b, to: c }, { from: a, to: target }];
  } else {
    figure.arrows = figure.terms.filter(({ weight }) => weight > 0)
      .map((term) => ({ from: term, to: target }));
    figure.sides = figure.terms.filter(({ weight }) => weight < 0)
      .map((term) => ({ from: term, to: target }));
  }
  return figure;
}

/** Return {a, b, c} if the terms are a - b + c in some order, or else null. */
function asAnalogy(terms) {
  if (terms.length !== 3) return null;
  const away = terms.filter(({ weight }) => weight === -1);
  const towards = terms.filter(({ weight }) => weight === 1);
  if (away.length !== 1 || towards.length !== 2) return null;
  return { a: towards[0], b: away[0], c: towards[1] };
}

/** Describe the figure in words. */
export function describeFigure({ terms, answers, analogy, target }) {
  const nearest = answers[0]?.word;
  if (terms.length === 0) return "No expression yet.";
  if (!target) {
    return `${terms[0].word} is marked${nearest ? `; its nearest word is ${nearest}` : ""}.`;
  }
  const names = terms.map(({ word }) => word);
  const end = nearest ? `${nearest} is the word nearest to its end` : "there is no word near its end";
  if (analogy) {
    const { a, b, c } = analogy;
    return `The arrow from ${b.word} to ${a.word}, drawn from ${c.word}: ${end}.`;
  }
  return `The weighted sum of ${names.slice(0, -1).join(", ")} and ${names.at(-1)}: ${end}.`;
}
