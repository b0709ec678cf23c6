// A vector as a strip of colors: one narrow column for each number.

import { make } from "./shared/dom.js";

/** Show a vector: blue is positive, orange is negative, pale is near 0; `largest` is the full color. */
export function strip(vector, largest) {
  const [low, high] = [Math.min(...vector), Math.max(...vector)];
  return drawn(vector.map((value) => [value > 0 ? "--answer" : "--accent", Math.abs(value) / (largest || 1)]),
    `${vector.length} numbers from ${low.toFixed(2)} to ${high.toFixed(2)}`,
    (place) => `number ${place + 1}: ${vector[place].toFixed(4)}`);
}

/** Show the squared difference of each number of two vectors. */
export function squares(terms) {
  const largest = Math.max(...terms);
  return drawn(terms.map((term) => ["--ink", term / (largest || 1)]),
    `${terms.length} squared differences, at most ${largest.toFixed(2)}`,
    (place) => `squared difference of number ${place + 1}: ${terms[place].toFixed(4)}`);
}

function drawn(columns, label, describe) {
  const canvas = make("canvas", { className: "strip", role: "img", "aria-label": label, title: label });
  [canvas.width, canvas.height] = [columns.length, 1];
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  columns.forEach(([color, share], place) => {
    pen.fillStyle = style.getPropertyValue(color);
    pen.globalAlpha = Math.min(1, share);
    pen.fillRect(place, 0, 1, 1);
  });
  canvas.addEventListener("pointermove", ({ offsetX }) => {
    const place = Math.floor(offsetX / canvas.clientWidth * columns.length);
    canvas.title = describe(Math.max(0, Math.min(place, columns.length - 1)));
  });
  return canvas;
}
