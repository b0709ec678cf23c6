// How words are written in an expression, and where they are in it.

// As in Python, ASCII white space and control characters separate words; other spaces do not.
// So do operators, among them the dashes that are read as minus signs: minus, en dash, em dash.
const BARE = /^[^\x00-\x20()+*/"'\u2212\u2013\u2014-]+(?:['-]+[^\x00-\x20()+*/"'\u2212\u2013\u2014-]+)*$/;
const NUMBER = /^(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const TOKEN = new RegExp(`"(?<quoted>(?:[^"]|"")*)"|(?<word>${BARE.source.slice(1, -1)})`, "g");

/** Return a word as it has to be written in an expression: quoted where it would be misread. */
export function inExpression(word) {
  if (BARE.test(word) && !NUMBER.test(word)) return word;
  return `"${word.replaceAll('"', '""')}"`;
}

export function isNumber(text) {
  return NUMBER.test(text);
}

/** Return {word, start, end} for each word of an expression, in order. */
function wordsOf(expression) {
  return [...expression.matchAll(TOKEN)].map(({ index, 0: { length }, groups }) => ({
    word: groups.word ?? groups.quoted.replaceAll('""', '"').trim().replace(/\s+/g, " "),
    start: index, end: index + length,
  }));
}

/** Return {start, end} for each place of a word in an expression. */
function placesOf(expression, wrong) {
  const same = (one, other) => one.normalize("NFKC").toLowerCase() === other.normalize("NFKC").toLowerCase();
  const tokens = wordsOf(expression);
  for (const isWrong of [(word) => word === wrong, (word) => same(word, wrong)]) {
    const found = tokens.filter(({ word }) => isWrong(word));
    if (found.length) return found;
  }
  // A word with an operator in it has no token of its own; it stands between blanks or the ends.
  const start = ` ${expression} `.indexOf(` ${wrong} `);
  return start < 0 ? [] : [{ start, end: start + wrong.length }];
}

/** Return an expression in which a word, wherever it stands, is replaced; never a part of a word. */
export function withWord(expression, wrong, right) {
  const found = placesOf(expression, wrong);
  return found.reduceRight((text, { start, end }) =>
    text.slice(0, start) + inExpression(right) + text.slice(end), expression);
}

/** Return an expression in which the hyphens of a word, unless it is quoted, are minus signs. */
export function withHyphensAsMinus(expression, word) {
  return wordsOf(expression).filter((one) => one.word === word && expression[one.start] !== '"')
    .reduceRight((text, { start, end }) =>
      text.slice(0, start) + hyphenated(word).map(inExpression).join(" - ") + text.slice(end), expression);
}

/** Return the parts of a word between its hyphens. */
export function hyphenated(word) {
  return word.split(/-+/).filter(Boolean);
}
