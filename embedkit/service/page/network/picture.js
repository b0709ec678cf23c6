// The picture of the network: neurons are buttons, weights are lines between them.

import { make } from "../shared/dom.js";
import { draw } from "./svg.js";
import { number } from "./text.js";

export const SHOWN_INPUTS = 10; // of vectors; all others are named below them
const WIDEST = 7; // pixels
const NARROWEST = 0.6;

/** Describe a layer: "Inputs", "Hidden layer 1", "Output". */
export function layerName(layer, layers) {
  if (layer === 0) return "Input";
  return layer === layers ? "Output" : `Hidden layer ${layer}`;
}

/** Name a neuron. */
export function neuronName(training, layer, unit) {
  const layers = training.network.weights.length;
  if (layer === 0) return training.data.inputs[unit].name;
  if (layer === layers) return training.data.outputs[unit];
  return `neuron ${unit + 1} of hidden layer ${layer}`;
}

/** The picture in an element; `chosen(layer, unit, isPinned)` is called for a neuron. */
export class Picture {
  constructor(element, chosen) {
    this.element = element;
    this.chosen = chosen;
    element.addEventListener("keydown", (event) => this.move(event));
  }

  /** Build the picture of a network of this shape. */
  build(training) {
    this.training = training;
    const { weights } = training.network;
    const sizes = [weights[0].length, ...weights.map((matrix) => matrix[0].length)];
    this.shown = sizes.map((size, layer) => (layer === 0 ? Math.min(size, SHOWN_INPUTS) : size));
    this.hiddenInputs = sizes[0] - this.shown[0];
    const rows = this.shown.map((count, layer) => count + (layer === 0 && this.hiddenInputs ? 1 : 0));
    this.element.style.setProperty("--rows", Math.max(...rows));
    const place = (layer, unit) => [100 * (layer + 0.5) / sizes.length, 100 * (unit + 0.5) / rows[layer]];
    this.lines = weights.map((_, layer) => this.each(layer, (unit) => this.each(layer + 1, (next) => {
      const [[x1, y1], [x2, y2]] = [place(layer, unit), place(layer + 1, next)];
      return draw("line", { x1, y1, x2, y2 });
    })));
    this.neurons = sizes.map((_, layer) => this.each(layer, (unit) => this.neuron(layer, unit, place(layer, unit))));
    const svg = draw("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" },
      ...this.lines.flat(2));
    const heads = sizes.map((_, layer) => placed(
      make("span", { className: "layer" }, layerName(layer, weights.length)), place(layer, 0)[0], 0));
    this.area = make("div", { className: "neurons" }, svg, ...this.neurons.flat());
    if (this.hiddenInputs) {
      this.area.append(placed(make("span", { className: "more" }, `and ${this.hiddenInputs} more`),
        ...place(0, this.shown[0])));
    }
    this.element.replaceChildren(make("div", { className: "layers", "aria-hidden": "true" }, ...heads), this.area);
    this.select(1, 0);
  }

  each(layer, build) {
    return Array.from({ length: this.shown[layer] }, (_, unit) => build(unit));
  }

  neuron(layer, unit, [x, y]) {
    const isNamed = layer === 0 || layer === this.shown.length - 1;
    const name = neuronName(this.training, layer, unit);
    const button = placed(make("button", { type: "button", tabIndex: -1 },
      make("span", { className: "value" })), x, y);
    if (isNamed) button.prepend(make("span", { className: "name" }, name));
    button.addEventListener("pointerenter", () => this.chosen(layer, unit));
    button.addEventListener("pointerleave", () => this.chosen(...this.selected));
    button.addEventListener("focus", () => this.select(layer, unit));
    button.addEventListener("click", () => this.select(layer, unit));
    return button;
  }

  /** Select a neuron: it is worked out until another one is selected. */
  select(layer, unit) {
    this.selected = [layer, unit];
    this.neurons.forEach((column, place) => column.forEach((button, row) => {
      const isSelected = place === layer && row === unit;
      button.tabIndex = isSelected ? 0 : -1;
      button.setAttribute("aria-pressed", String(isSelected));
    }));
    this.chosen(layer, unit);
  }

  move(event) {
    const [across, down] = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    }[event.key] ?? [0, 0];
    if (!across && !down) return;
    event.preventDefault();
    const layer = this.selected[0] + across;
    const column = this.neurons[layer];
    if (!column) return;
    const row = Math.min(Math.max(this.selected[1] + down, 0), column.length - 1);
    column[row].focus();
  }

  /** Show the values of the neurons, and the weights or gradients as lines; mark the lines of a neuron. */
  update({ lines, layer: marked, unit: markedUnit }) {
    const { network, gradients, trace } = this.training;
    const shown = lines === "gradients" ? gradients?.weights : network.weights;
    const largest = Math.max(...(shown ?? []).flat(2).map(Math.abs).filter(Number.isFinite), 1e-12);
    this.lines.forEach((matrix, layer) => matrix.forEach((row, unit) => row.forEach((line, next) => {
      const weight = shown ? shown[layer][unit][next] : 0;
      const isMarked = (layer + 1 === marked && next === markedUnit) || (marked === 0 && layer === 0 && unit === markedUnit);
      line.setAttribute("class", `${weight < 0 ? "negative" : "positive"}${isMarked ? " marked" : ""}`);
      line.setAttribute("stroke-width", weight
        ? (NARROWEST + WIDEST * Math.min(Math.abs(weight) / largest, 1)).toFixed(2) : 0);
    })));
    this.neurons.forEach((column, layer) => column.forEach((button, unit) => {
      const value = trace.values[layer][unit];
      const text = number(value);
      button.lastElementChild.textContent = text;
      button.classList.toggle("negative", value < 0);
      button.style.setProperty("--strength", Number.isFinite(value) ? (Math.abs(value) / (1 + Math.abs(value))).toFixed(3) : 1);
      const layers = this.neurons.length - 1;
      const name = neuronName(this.training, layer, unit);
      const label = layer === 0 || layer === layers ? `${layerName(layer, layers)} ${name}` : name;
      button.setAttribute("aria-label", `${label}: ${text}`);
    }));
  }
}

function placed(element, x, y) {
  element.style.left = `${x}%`;
  element.style.top = `${y}%`;
  return element;
}
