// Small helpers to make elements: text is always text, never markup.

/** Return a new element with properties (or, with a dash, attributes) and children. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property.includes("-") || property === "role") element.setAttribute(property, value);
    else element[property] = value;
  }
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Return `call`, put off until nobody has called for so many milliseconds. */
export function debounced(call, milliseconds) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

const BARE = /^[^\s()+*/"'-]+(?:['-]+[^\s()+*/"'-]+)*$/;
const NUMBER = /^(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Return a word as an expression has to say it: quoted where it would be read otherwise. */
export function inExpression(word) {
  if (BARE.test(word) && !NUMBER.test(word)) return word;
  return word.includes('"') ? `'${word}'` : `"${word}"`;
}
