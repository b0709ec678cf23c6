// The picture of a network: neurons are buttons, weights are lines between them.

import { make } from "../shared/dom.js";
import { canvas, draw, number, placed } from "./figures.js";

const SHOWN_INPUTS = 10; // of a vector
const NARROWEST = 0.6; // pixels
const WIDEST = 7;

const layerName = (layer, last) => (layer === 0 ? "Input" : layer === last ? "Output" : `Hidden layer ${layer}`);

/** Name a neuron; layer 0 has the inputs. */
export function neuronName({ data, network }, layer, unit) {
  if (layer === 0) return data.inputs[unit].name;
  return layer === network.weights.length ? data.outputs[unit] : `neuron ${unit + 1} of hidden layer ${layer}`;
}

/** A picture in an element; `show(layer, unit)` is called for the neuron that is pointed at or selected. */
export class Picture {
  constructor(element, show) {
    Object.assign(this, { element, show });
    element.addEventListener("keydown", (event) => this.move(event));
  }

  /** Build the picture of a network, and select its first hidden neuron. */
  build(training) {
    this.training = training;
    const { weights } = training.network;
    const sizes = [Math.min(weights[0].length, SHOWN_INPUTS), ...weights.map(([row]) => row.length)];
    const more = weights[0].length - sizes[0];
    const rows = sizes.map((size, layer) => (layer === 0 && more ? size + 1 : size));
    const place = (layer, unit) => [100 * (layer + 0.5) / sizes.length, 100 * (unit + 0.5) / rows[layer]];
    const each = (layer, build) => Array.from({ length: sizes[layer] }, (_, unit) => build(unit));
    this.last = weights.length;
    this.lines = weights.map((_, layer) => each(layer, (unit) => each(layer + 1, (next) => {
      const [[x1, y1], [x2, y2]] = [place(layer, unit), place(layer + 1, next)];
      return draw("line", { x1, y1, x2, y2 });
    })));
    this.neurons = sizes.map((_, layer) => each(layer, (unit) => placed(this.neuron(layer, unit), ...place(layer, unit))));
    const heads = sizes.map((_, layer) => placed(make("span", {}, layerName(layer, this.last)), place(layer, 0)[0], 0));
    this.element.style.setProperty("--rows", Math.max(...rows));
    this.element.replaceChildren(make("div", { className: "layers", "aria-hidden": "true" }, ...heads),
      make("div", { className: "neurons" }, canvas(...this.lines.flat(2)), ...this.neurons.flat(),
        ...(more ? [placed(make("span", { className: "more" }, `and ${more} more`), ...place(0, sizes[0]))] : [])));
    this.select(1, 0);
  }

  neuron(layer, unit) {
    const button = make("button", {}, make("span", { className: "value" }));
    if (layer === 0 || layer === this.last) {
      button.prepend(make("span", { className: "name" }, neuronName(this.training, layer, unit)));
    }
    button.addEventListener("pointerenter", () => this.show(layer, unit));
    button.addEventListener("pointerleave", () => this.show(...this.selected));
    for (const event of ["focus", "click"]) button.addEventListener(event, () => this.select(layer, unit));
    return button;
  }

  select(layer, unit) {
    this.selected = [layer, unit];
    this.neurons.forEach((column, place) => column.forEach((button, row) => {
      const isSelected = place === layer && row === unit;
      button.tabIndex = isSelected ? 0 : -1;
      button.setAttribute("aria-pressed", String(isSelected));
    }));
    this.show(layer, unit);
  }

  move(event) {
    const [across, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    const column = this.neurons[this.selected[0] + across];
    if (across === undefined || !column) return;
    event.preventDefault();
    column[Math.min(Math.max(this.selected[1] + down, 0), column.length - 1)].focus();
  }

  /** Show values, and weights or gradients as lines; those of a neuron stand out. */
  update([marked, markedUnit], hasGradients) {
    const { network, gradients, trace } = this.training;
    const matrices = hasGradients ? gradients?.weights : network.weights;
    const largest = Math.max(1e-9, ...(matrices ?? []).flat(2).map(Math.abs).filter(Number.isFinite));
    this.lines.forEach((matrix, layer) => matrix.forEach((row, unit) => row.forEach((line, next) => {
      const weight = matrices?.[layer][unit][next] ?? 0;
      const isMarked = (layer === marked && unit === markedUnit) || (layer + 1 === marked && next === markedUnit);
      line.setAttribute("class", `${weight < 0 ? "negative" : ""} ${isMarked ? "marked" : ""}`);
      line.setAttribute("stroke-width", weight && NARROWEST + WIDEST * Math.min(Math.abs(weight) / largest, 1));
    })));
    this.neurons.forEach((column, layer) => column.forEach((button, unit) => {
      const value = trace.values[layer][unit];
      const place = layer === 0 || layer === this.last ? `${layerName(layer, this.last)} ` : "";
      button.lastChild.textContent = number(value);
      button.setAttribute("aria-label", `${place}${neuronName(this.training, layer, unit)}: ${number(value)}`);
      button.classList.toggle("negative", value < 0);
      button.style.setProperty("--strength", Math.abs(value) / (1 + Math.abs(value)) || 0);
    }));
  }
}
