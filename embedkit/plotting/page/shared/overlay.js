// What is drawn on a map's canvas: arrows, marks, and labels that do not overlap.

const CLEARANCE = 8; // pixels around an arrow that no label covers
const LEADERS = [26, 42, 60, 80, 104, 130]; // pixels from a point to a label away from it
const DIRECTIONS = 16;
const BAND = 32; // pixels: occupied boxes are looked up by horizontal bands of this height
// Positions of a label beside its point, the best first: horizontal and vertical, -1 to 1.
const POSITIONS = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]];

export class Overlay {
  /**
   * `styles` are the kinds of labels by name: {font, family, height, color}. `font` is weight and
   * size; `family` and `color` name entries of the look that `begin` takes.
   */
  constructor(canvas, styles) {
    this.canvas = canvas;
    this.styles = styles;
    this.pen = canvas.getContext("2d");
    this.widths = new Map();
  }

  /** Clear the canvas; `look` holds the page's colors and font families by name. */
  begin({ width, height }, ratio, look) {
    this.size = { width, height };
    this.look = look;
    this.boxes = new Map();
    this.lines = new Map();
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.clearRect(0, 0, width, height);
    this.pen.lineJoin = this.pen.lineCap = "round";
  }

  line([fromX, fromY], [toX, toY], { color, width, dashed = false, arrow = false }) {
    const { pen } = this;
    const length = Math.hypot(toX - fromX, toY - fromY);
    if (length < 1) return;
    const [alongX, alongY] = [(toX - fromX) / length, (toY - fromY) / length];
    const gap = Math.min(8, length / 3);
    const [endX, endY] = [toX - alongX * gap, toY - alongY * gap];
    pen.strokeStyle = pen.fillStyle = this.look[color];
    pen.lineWidth = width;
    pen.setLineDash(dashed ? [3, 6] : []);
    pen.beginPath();
    pen.moveTo(fromX + alongX * gap, fromY + alongY * gap);
    pen.lineTo(endX, endY);
    pen.stroke();
    pen.setLineDash([]);
    if (!arrow) return;
    this.occupyLine([fromX, fromY], [alongX, alongY], length);
    const head = Math.min(11, length / 2.5);
    pen.beginPath();
    pen.moveTo(endX, endY);
    for (const side of [1, -1]) {
      pen.lineTo(endX - alongX * head + side * alongY * head * 0.42,
        endY - alongY * head - side * alongX * head * 0.42);
    }
    pen.closePath();
    pen.fill();
  }

  /** Reserve the visible part of a line: zoomed in, an arrow may be very long. */
  occupyLine([fromX, fromY], [alongX, alongY], length) {
    const { width, height } = this.size;
    const longest = Math.hypot(width, height);
    const nearest = (width / 2 - fromX) * alongX + (height / 2 - fromY) * alongY;
    const start = Math.max(0, Math.floor((nearest - longest) / CLEARANCE) * CLEARANCE);
    for (let along = start; along <= Math.min(length, nearest + longest); along += CLEARANCE) {
      const [x, y] = [fromX + alongX * along, fromY + alongY * along];
      const [left, top] = [x - CLEARANCE / 2, y - CLEARANCE / 2];
      this.occupy(left, top, left + CLEARANCE, top + CLEARANCE, this.lines);
    }
  }

  /** Draw many small squares, which labels may cover. */
  points(places, side, color) {
    this.pen.fillStyle = this.look[color];
    for (const [x, y] of places) this.pen.fillRect(x - side / 2, y - side / 2, side, side);
  }

  /** Draw a point as a disc, or as a diamond; `glow` from 0 to 1 surrounds it with a halo. */
  dot([x, y], radius, color, { glow = 0, diamond = false } = {}) {
    const { pen } = this;
    pen.fillStyle = this.look[color];
    if (glow > 0) {
      pen.globalAlpha = 0.22 * glow;
      this.disc(x, y, radius + 7 * glow);
      pen.globalAlpha = 1;
    }
    if (diamond) this.diamond(x, y, radius);
    else this.disc(x, y, radius);
    pen.strokeStyle = this.look.paper;
    pen.lineWidth = 1.5;
    pen.stroke();
    this.occupy(x - radius, y - radius, x + radius, y + radius);
  }

  disc(x, y, radius) {
    this.pen.beginPath();
    this.pen.arc(x, y, radius, 0, 2 * Math.PI);
    this.pen.fill();
  }

  diamond(x, y, radius) {
    this.pen.beginPath();
    for (const [across, up] of [[1, 0], [0, 1], [-1, 0], [0, -1]]) {
      this.pen.lineTo(x + across * radius, y + up * radius);
    }
    this.pen.closePath();
    this.pen.fill();
  }

  ring([x, y], radius, color) {
    const { pen } = this;
    pen.strokeStyle = this.look[color];
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.stroke();
    this.occupy(x - radius, y - radius, x + radius, y + radius);
  }

  /** Keep labels out of a box. */
  occupy(left, top, right, bottom, layer = this.boxes) {
    for (const band of bandsOf(top, bottom)) {
      if (!layer.has(band)) layer.set(band, []);
      layer.get(band).push([left, top, right, bottom]);
    }
  }

  isFree(left, top, right, bottom, layers) {
    return bandsOf(top, bottom).every((band) => layers.every((layer) =>
      (layer.get(band) ?? []).every((box) =>
        right < box[0] || left > box[2] || bottom < box[1] || top > box[3])));
  }

  width(text, style) {
    const key = `${style}:${text}`;
    if (!this.widths.has(key)) {
      if (this.widths.size > 20_000) this.widths.clear();
      this.pen.font = this.font(style);
      this.widths.set(key, this.pen.measureText(text).width);
    }
    return this.widths.get(key);
  }

  font(style) {
    return `${this.styles[style].font} ${this.look[this.styles[style].family]}`;
  }

  /**
   * Write a label beside its point where there is room, and return whether there was.
   *
   * With `overLines` it may cover an arrow if there is no other room; with `leader` it may stand
   * farther away, at the end of a thin line; with `must` it is written in any case.
   */
  label(text, [x, y], style, options = {}) {
    const { gap = 7, must = false, overLines = false, leader = false, positions = POSITIONS } = options;
    if (x < 0 || y < 0 || x > this.size.width || y > this.size.height) return false;
    const { height } = this.styles[style];
    const width = this.width(text, style);
    const place = this.placeFor([x, y], [width, height], gap, positions, [this.boxes, this.lines])
      ?? (overLines ? this.placeFor([x, y], [width, height], gap, positions, [this.boxes]) : null);
    if (place) return this.write(text, ...place, width, style);
    const away = leader ? this.placeAround([x, y], [width, height]) : null;
    if (away) return this.writeAway(text, [x, y], away, width, style);
    if (!must) return false;
    const left = Math.max(2, Math.min(x + gap, this.size.width - width - 2));
    return this.write(text, left, Math.max(2, y - height / 2), width, style);
  }

  /** Return the first position beside a point where a label is free of some layers, or null. */
  placeFor([x, y], [width, height], gap, positions, layers) {
    for (const [across, down] of positions) {
      const left = x + across * gap + (across === 0 ? -width / 2 : across < 0 ? -width : 0);
      const top = y + down * (gap + height / 2) - height / 2;
      if (this.fits([left, top], [width, height], layers)) return [left, top];
    }
    return null;
  }

  /** Return whether a label is inside the map and free of some layers. */
  fits([left, top], [width, height], layers) {
    return left >= 2 && left + width <= this.size.width - 2 && top >= 2
      && top + height <= this.size.height - 2
      && this.isFree(left, top, left + width, top + height, layers);
  }

  /** Return the nearest free position on circles around a point, or null. */
  placeAround([x, y], [width, height]) {
    for (const radius of LEADERS) {
      for (let step = 0; step < DIRECTIONS; step += 1) {
        const angle = 2 * Math.PI * step / DIRECTIONS;
        const [across, down] = [Math.cos(angle), Math.sin(angle)];
        const left = x + across * radius - (across > 0.3 ? 0 : across < -0.3 ? width : width / 2);
        const top = y + down * radius - height / 2;
        if (this.fits([left, top], [width, height], [this.boxes, this.lines])) return [left, top];
      }
    }
    return null;
  }

  /** Write a label away from its point, with a thin line between them. */
  writeAway(text, [x, y], [left, top], width, style) {
    const { pen } = this;
    const { height, color } = this.styles[style];
    const [endX, endY] = [
      Math.max(left, Math.min(x, left + width)), Math.max(top + 3, Math.min(y, top + height - 3))];
    pen.strokeStyle = this.look[color];
    pen.globalAlpha = 0.6;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(endX, endY);
    pen.stroke();
    pen.globalAlpha = 1;
    return this.write(text, left, top, width, style);
  }

  write(text, left, top, width, style) {
    const { pen } = this;
    const { height, color, halo = 4 } = this.styles[style];
    pen.font = this.font(style);
    pen.textBaseline = "middle";
    pen.strokeStyle = this.look.paper;
    pen.lineWidth = halo;
    pen.strokeText(text, left, top + height / 2);
    pen.fillStyle = this.look[color];
    pen.fillText(text, left, top + height / 2);
    this.occupy(left - 3, top, left + width + 3, top + height);
    return true;
  }
}

function bandsOf(top, bottom) {
  const bands = [];
  for (let band = Math.floor(top / BAND); band <= Math.floor(bottom / BAND); band += 1) bands.push(band);
  return bands;
}

/** Return the computed values of an element's custom properties, `--name`, by name. */
export function readLook(element, names) {
  const computed = getComputedStyle(element);
  return Object.fromEntries(
    names.map((name) => [name, computed.getPropertyValue(`--${name}`).trim()]));
}
