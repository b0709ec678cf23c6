// Pictures in SVG: lines of a network, and curves with axes.

import { make } from "../shared/dom.js";
import { number } from "./text.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Return a new SVG element. */
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/**
 * Return a figure of a curve.
 *
 * `points` are [x, y]; `x` and `y` are the ranges shown; `dots` are {x, y, isChosen}; `label` says
 * what the picture shows. Numbers that are not finite are left out.
 */
export function curve({ points, x, y, dots = [], label, across, upward }) {
  const place = ([left, low]) => [
    100 * (left - x[0]) / (x[1] - x[0]), 100 - 100 * (low - y[0]) / (y[1] - y[0])];
  const written = points.filter((point) => point.every(Number.isFinite))
    .map((point) => place(point).map((part) => part.toFixed(2)).join()).join(" ");
  const axes = draw("path", { class: "axis", d: axesPath(place, x, y) });
  const shapes = [axes, draw("polyline", { class: "curve", points: written })];
  const marks = dots.filter((dot) => Number.isFinite(dot.x + dot.y)).map((dot) => {
    const mark = make("i", { className: dot.isChosen ? "dot chosen" : "dot" });
    const [left, top] = place([dot.x, dot.y]);
    mark.style.left = `${Math.min(Math.max(left, 0), 100)}%`;
    mark.style.top = `${Math.min(Math.max(top, 0), 100)}%`;
    return mark;
  });
  const area = make("div", { className: "area", role: "img", "aria-label": label },
    draw("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...shapes), ...marks);
  return make("div", { className: "plot", "aria-hidden": "false" },
    make("span", { className: "upward" }, upward),
    make("span", { className: "high" }, number(y[1], 1)), make("span", { className: "low" }, number(y[0], 1)),
    area, make("span", { className: "from" }, number(x[0], 0)),
    make("span", { className: "across" }, across), make("span", { className: "to" }, number(x[1], 0)));
}

function axesPath(place, x, y) {
  const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);
  const [left, low] = place([inside(0, x), inside(0, y)]);
  return `M0 ${low}H100M${left} 0V100`;
}
