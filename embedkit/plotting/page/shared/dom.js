// Helpers for building elements: text is always inserted as text, never as markup.

/** Return a new element with properties (attributes if the name has a dash) and children. */
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
