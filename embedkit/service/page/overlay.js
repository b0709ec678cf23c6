// What is written and drawn above the cloud: arrows, dots and labels that do not collide.

// `font` is completed by the family that the page's style names.
const STYLES = {
  term: { font: "600 18px", family: "serif", height: 20, colour: "accent" },
  answer: { font: "600 16px", family: "serif", height: 18, colour: "answer" },
  told: { font: "600 17px", family: "serif", height: 19, colour: "ink" },
  word: { font: "12px", family: "sans", height: 15, colour: "label" },
};
const CLEARANCE = 8; // pixels of an arrow that no label covers
// Where a label may stand beside its dot, the best first: horizontal and vertical, -1 to 1.
const SPOTS = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]];

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.widths = new Map();
    this.taken = [];
  }

  /** Start anew; `look` has the colours and font families of the page by their names. */
  begin({ width, height }, ratio, look) {
    this.size = { width, height };
    this.look = look;
    this.taken = [];
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.clearRect(0, 0, width, height);
    this.pen.lineJoin = this.pen.lineCap = "round";
  }

  line([fromX, fromY], [toX, toY], { colour, width, dashed = false, arrow = false }) {
    const { pen } = this;
    const length = Math.hypot(toX - fromX, toY - fromY);
    if (length < 1) return;
    const [alongX, alongY] = [(toX - fromX) / length, (toY - fromY) / length];
    const short = Math.min(8, length / 3);
    const [endX, endY] = [toX - alongX * short, toY - alongY * short];
    pen.strokeStyle = pen.fillStyle = this.look[colour];
    pen.lineWidth = width;
    pen.setLineDash(dashed ? [3, 6] : []);
    pen.beginPath();
    pen.moveTo(fromX + alongX * short, fromY + alongY * short);
    pen.lineTo(endX, endY);
    pen.stroke();
    pen.setLineDash([]);
    if (!arrow) return;
    for (let along = 0; along <= length; along += CLEARANCE) {
      const [x, y] = [fromX + alongX * along, fromY + alongY * along];
      this.take(x - CLEARANCE / 2, y - CLEARANCE / 2, x + CLEARANCE / 2, y + CLEARANCE / 2);
    }
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

  dot([x, y], radius, colour, glow = 0) {
    const { pen } = this;
    pen.fillStyle = this.look[colour];
    if (glow > 0) {
      pen.globalAlpha = 0.22 * glow;
      this.disc(x, y, radius + 7 * glow);
      pen.globalAlpha = 1;
    }
    this.disc(x, y, radius);
    pen.strokeStyle = this.look.paper;
    pen.lineWidth = 1.5;
    pen.stroke();
    this.take(x - radius, y - radius, x + radius, y + radius);
  }

  disc(x, y, radius) {
    this.pen.beginPath();
    this.pen.arc(x, y, radius, 0, 2 * Math.PI);
    this.pen.fill();
  }

  ring([x, y], radius, colour) {
    const { pen } = this;
    pen.strokeStyle = this.look[colour];
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.stroke();
    this.take(x - radius, y - radius, x + radius, y + radius);
  }

  take(left, top, right, bottom) {
    this.taken.push([left, top, right, bottom]);
  }

  isFree(left, top, right, bottom) {
    return this.taken.every(([otherLeft, otherTop, otherRight, otherBottom]) =>
      right < otherLeft || left > otherRight || bottom < otherTop || top > otherBottom);
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
    return `${STYLES[style].font} ${this.look[STYLES[style].family]}`;
  }

  /** Write a label beside its dot where it collides with none; `must` writes it all the same. */
  label(text, [x, y], style, { gap = 7, must = false, spots = SPOTS } = {}) {
    if (x < 0 || y < 0 || x > this.size.width || y > this.size.height) return false;
    const { height } = STYLES[style];
    const width = this.width(text, style);
    for (const [across, down] of spots) {
      const left = x + across * gap + (across === 0 ? -width / 2 : across < 0 ? -width : 0);
      const top = y + down * (gap + height / 2) - height / 2;
      const inside = left >= 2 && left + width <= this.size.width - 2 && top >= 2
        && top + height <= this.size.height - 2;
      if (!inside || !this.isFree(left, top, left + width, top + height)) continue;
      return this.write(text, left, top, width, style);
    }
    if (!must) return false;
    const left = Math.max(2, Math.min(x + gap, this.size.width - width - 2));
    return this.write(text, left, Math.max(2, y - height / 2), width, style);
  }

  write(text, left, top, width, style) {
    const { pen } = this;
    const { height, colour } = STYLES[style];
    pen.font = this.font(style);
    pen.textBaseline = "middle";
    pen.strokeStyle = this.look.paper;
    pen.lineWidth = style === "word" ? 3.5 : 4;
    pen.strokeText(text, left, top + height / 2);
    pen.fillStyle = this.look[colour];
    pen.fillText(text, left, top + height / 2);
    this.take(left - 3, top, left + width + 3, top + height);
    return true;
  }
}
