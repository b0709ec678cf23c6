// A drawing context for `Overlay` that writes SVG: the part of CanvasRenderingContext2D that it uses.

import { rgbaOf } from "./color.js";

const round = (value) => Number(value.toFixed(2));
const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** Return a computed color as attributes; many programs do not read an alpha within a color. */
function paint(name, color) {
  const [red, green, blue, alpha] = rgbaOf(color);
  return `${name}="rgb(${red}, ${green}, ${blue})"${alpha < 1 ? ` ${name}-opacity="${alpha}"` : ""}`;
}

export class SvgPen {
  constructor(width, height) {
    this.size = [round(width), round(height)];
    this.parts = [];
    this.path = "";
    this.dash = [];
    this.globalAlpha = 1;
    this.lineWidth = 1;
    this.ruler = document.createElement("canvas").getContext("2d");
  }

  /** Return the file. */
  text() {
    const [width, height] = this.size;
    const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" `
      + `width="${width}" height="${height}">`;
    return `${head}\n${this.parts.join("\n")}\n</svg>\n`;
  }

  // The file has no pixels to scale, and is empty at first.
  setTransform() {}

  clearRect() {}

  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = "";
  }

  moveTo(x, y) {
    this.path += `M${round(x)} ${round(y)}`;
  }

  lineTo(x, y) {
    this.path += `L${round(x)} ${round(y)}`;
  }

  closePath() {
    this.path += "Z";
  }

  /** Only whole circles. */
  arc(x, y, radius) {
    const [left, right, middle] = [round(x - radius), round(x + radius), round(y)];
    const half = `A${round(radius)} ${round(radius)} 0 1 1`;
    this.path += `M${left} ${middle}${half} ${right} ${middle}${half} ${left} ${middle}Z`;
  }

  circle(x, y, radius) {
    this.parts.push(`<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius)}" `
      + `${paint("fill", this.fillStyle)}/>`);
  }

  fillRect(x, y, width, height) {
    this.parts.push(`<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" `
      + `${paint("fill", this.fillStyle)}/>`);
  }

  fill() {
    this.parts.push(`<path d="${this.path}" ${paint("fill", this.fillStyle)}${this.opacity()}/>`);
  }

  stroke() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    this.parts.push(`<path d="${this.path}" fill="none" ${paint("stroke", this.strokeStyle)}`
      + ` stroke-width="${this.lineWidth}" stroke-linecap="round" stroke-linejoin="round"${dash}${this.opacity()}/>`);
  }

  opacity() {
    return this.globalAlpha === 1 ? "" : ` opacity="${this.globalAlpha.toFixed(3)}"`;
  }

  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  strokeText(text, x, y) {
    this.write(text, x, y, `fill="none" ${paint("stroke", this.strokeStyle)} stroke-width="${this.lineWidth}" `
      + 'stroke-linejoin="round"');
  }

  fillText(text, x, y) {
    this.write(text, x, y, paint("fill", this.fillStyle));
  }

  write(text, x, y, painted) {
    const font = escaped(this.font);
    this.parts.push(`<text x="${round(x)}" y="${round(y)}" dominant-baseline="central" style="font: ${font}" `
      + `${painted}>${escaped(text)}</text>`);
  }
}
