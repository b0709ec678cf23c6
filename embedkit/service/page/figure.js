// The figure of a question on the map: its words, arrows and answers.

/**
 * Return {terms, answers, target, analogy, arrows, sides} of a question, in map coordinates.
 *
 * The projection is linear, so the arrow from b to a, moved to start at c, ends at a - b + c.
 * `arrows` are these two arrows, and `sides` complete the parallelogram. A weighted sum is divided
 * by the sum of its weights, which keeps its direction. A difference, whose weights add up to 0, has
 * a direction but no place, so it is an arrow without a target.
 */
export function figureOf({ terms, answers, composed = [] }, points) {
  const placed = new Map(points.map((point) => [point.word, point]));
  const withPosition = (one) => ({ ...one, ...placed.get(one.word) });
  const figure = {
    terms: merged(terms).map((term) => (
      { ...withPosition(term), isComposed: composed.includes(term.word) })),
    answers: answers.map(withPosition),
    target: null, analogy: null, arrows: [], sides: [],
  };
  const added = figure.terms.filter(({ weight }) => weight > 0);
  const subtracted = figure.terms.filter(({ weight }) => weight < 0);
  const total = figure.terms.reduce((sum, { weight }) => sum + weight, 0);
  if (figure.terms.length < 2 || total < -1e-9) return figure;
  if (total <= 1e-9) {
    figure.arrows = added.slice(0, subtracted.length).map((to, place) => ({ from: subtracted[place], to }));
    return figure;
  }
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
    figure.arrows = added.map((term) => ({ from: term, to: target }));
    figure.sides = subtracted.map((term) => ({ from: term, to: target }));
  }
  return figure;
}

/** Return the terms with one entry, and the sum of the weights, for each word. */
function merged(terms) {
  const weights = new Map();
  for (const { word, weight } of terms) weights.set(word, (weights.get(word) ?? 0) + weight);
  return [...weights].map(([word, weight]) => ({ word, weight }));
}

/** Return {a, b, c} if the terms are a - b + c in any order, or else null. */
function asAnalogy(terms) {
  if (terms.length !== 3) return null;
  const subtracted = terms.filter(({ weight }) => weight === -1);
  const added = terms.filter(({ weight }) => weight === 1);
  if (subtracted.length !== 1 || added.length !== 2) return null;
  return { a: added[0], b: subtracted[0], c: added[1] };
}

/** Describe the figure in words. */
export function describeFigure({ terms, answers, analogy, target, arrows, isPairs }) {
  const nearest = answers[0]?.word;
  if (terms.length === 0) return "No expression yet.";
  if (!target && arrows.length) {
    const drawn = arrows.map(({ from, to }) => `from ${from.word} to ${to.word}`).join(", and ");
    return isPairs ? `Arrows ${drawn}.`
      : `The arrow ${drawn}. The difference is a direction, not a place on the map.`;
  }
  if (!target) {
    return `${terms[0].word} is marked${nearest ? `; its nearest word is ${nearest}` : ""}.`;
  }
  const names = terms.map(({ word }) => word);
  if (analogy) {
    const { a, b, c } = analogy;
    const end = nearest ? `, ends near ${nearest}` : "";
    return `The arrow from ${b.word} to ${a.word}, drawn from ${c.word}${end}.`;
  }
  const place = nearest ? ` is near ${nearest}` : "";
  return `The weighted sum of ${names.slice(0, -1).join(", ")} and ${names.at(-1)}${place}.`;
}
