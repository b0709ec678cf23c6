// Numbers as text, and curves.

import { make } from "../shared/dom.js";

/** Write a number with a real minus sign; whole ones without digits, small ones with more of them. */
export function number(value, digits = 2) {
  if (Number.isNaN(value)) return "not a number";
  const size = Math.abs(value);
  let text = value.toFixed(digits);
  if (Number.isInteger(value)) text = (value || 0).toLocaleString("en");
  else if (size < 0.5 * 10 ** -digits) text = value.toPrecision(1);
  if (size >= 1e6) text = value.toExponential(1).replace("+", "");
  return text.replace("Infinity", "∞").replaceAll("-", "−");
}

/** Return a new SVG element. */
export function draw(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** Return a picture that fills its element, in percent of its width and height. */
export const canvas = (...shapes) => draw("svg",
  { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...shapes);

const within = (value, low, high) => Math.min(Math.max(value, low), high);

/** Move an element to a place in percent. */
export function placed(element, left, top) {
  element.style.left = `${within(left, 0, 100)}%`;
  element.style.top = `${within(top, 0, 100)}%`;
  return element;
}

/** Return the figure of a curve through `points` in the ranges `x` and `y`; the first of the `dots` is chosen. */
export function curve({ points, x, y, dots, label, across, upward }) {
  const place = ([left, up]) => [100 * (left - x[0]) / (x[1] - x[0]), 100 * (y[1] - up) / (y[1] - y[0])];
  const areFinite = (point) => point.every(Number.isFinite);
  const [left, top] = place([within(0, ...x), within(0, ...y)]);
  const marks = dots.filter(areFinite).map((dot, row) => placed(make("i", { className: row ? "dot" : "dot chosen" }), ...place(dot)));
  return make("div", { className: "plot" }, make("span", { className: "upward" }, upward),
    make("span", { className: "high" }, number(y[1], 1)), make("span", { className: "low" }, number(y[0], 1)),
    make("div", { className: "area", role: "img", "aria-label": label }, canvas(
      draw("path", { class: "axis", d: `M0 ${top}H100M${left} 0V100` }),
      draw("polyline", { class: "curve", points: points.filter(areFinite).map(place).join(" ") })), ...marks.reverse()),
    make("span", { className: "from" }, number(x[0])), make("span", { className: "across" }, across),
    make("span", { className: "to" }, number(x[1])));
}
