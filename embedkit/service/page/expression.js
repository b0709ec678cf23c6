// How words are written in an expression.

// As in Python, ASCII white space and control characters separate words; other spaces do not.
const BARE = /^[^\x00-\x20()+*/"'-]+(?:['-]+[^\x00-\x20()+*/"'-]+)*$/;
const NUMBER = /^(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Return a word as it has to be written in an expression: quoted where it would be misread. */
export function inExpression(word) {
  if (BARE.test(word) && !NUMBER.test(word)) return word;
  return `"${word.replaceAll('"', '""')}"`;
}
