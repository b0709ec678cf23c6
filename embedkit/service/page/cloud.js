// The cloud of all words: a dot for each, frequent words larger and darker.
//
// All dots have one color and are written into one array of pixels, with its alpha as the sum. Without a
// graphics card, this takes a small part of the time that WebGL or shapes on a canvas take.

const SIZES = 8; // of dots, from the most frequent words to the rarest
const STEPS = 4; // places of a dot within a pixel, across and down
const SOFT = 0.7; // of the radius; beyond it, a dot fades out

export class Cloud {
  constructor(canvas) {
    this.pen = canvas.getContext("2d");
    this.places = new Float32Array(0);
    this.sizes = new Uint8Array(0);
    this.grid = null;
    this.image = null;
    this.key = "";
  }

  /** Set the positions of the words, x0 y0 x1 y1 ..., the most frequent first, and the grid over them. */
  fill(places, grid) {
    this.places = places;
    this.grid = grid;
    const count = places.length / 2;
    this.sizes = new Uint8Array(count);
    for (let id = 0; id < count; id += 1) {
      this.sizes[id] = Math.min(SIZES - 1, SIZES * Math.log(id + 2) / Math.log(count + 2));
    }
  }

  /**
   * Draw the first `count` words as far as they are in `view`; return how many these are.
   *
   * `size` is in CSS pixels, `ratio` is device pixels per CSS pixel, `ink` is from `rgbaOf`.
   */
  draw({ view, ratio, size, count, ink }) {
    this.prepare(Math.round(view.width * ratio), Math.round(view.height * ratio), size * ratio, ink);
    const { places, sizes, stamps, pixels, margin, stride, image, pen } = this;
    pixels.fill(0);
    const scale = view.scale * ratio;
    const { left, right, bottom, top } = view.rectangle;
    const spare = margin / scale;
    const around = { left: left - spare, right: right + spare, bottom: bottom - spare, top: top + spare };
    const color = (ink[2] << 16) | (ink[1] << 8) | ink[0]; // red is the first byte
    let drawn = 0;
    this.grid?.each(around, count, (id) => {
      const x = (places[2 * id] - around.left) * scale;
      const y = (around.top - places[2 * id + 1]) * scale;
      const [column, row] = [Math.floor(x), Math.floor(y)];
      // A dot that touches the picture lies in the image, which is larger by two margins on each side.
      if (column < 0 || row < 0 || column >= stride - 2 * margin || row >= image.height - 2 * margin) return;
      const { offsets, alphas } = stamps[
        (sizes[id] * STEPS + Math.floor((y - row) * STEPS)) * STEPS + Math.floor((x - column) * STEPS)];
      const middle = (row + margin) * stride + column + margin;
      for (let part = 0; part < offsets.length; part += 1) {
        const alpha = pixels[middle + offsets[part]] >>> 24;
        pixels[middle + offsets[part]] = ((alpha + ((255 - alpha) * alphas[part] + 127) / 255) << 24) | color;
      }
      drawn += 1;
    });
    pen.putImageData(image, -2 * margin, -2 * margin);
    return drawn;
  }

  /** Make the image and the stamps, unless those of the last time have the same size and color. */
  prepare(width, height, size, ink) {
    const key = [width, height, size, ink[3]].join();
    if (key === this.key) return;
    this.key = key;
    this.margin = Math.ceil(diameter(0, size) / 2) + 1;
    this.stride = width + 4 * this.margin;
    this.image = this.pen.createImageData(this.stride, height + 4 * this.margin);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.stamps = Array.from({ length: SIZES * STEPS * STEPS }, (_, number) => {
      const rank = (Math.floor(number / STEPS ** 2) + 0.5) / SIZES;
      const [down, across] = [Math.floor(number / STEPS) % STEPS, number % STEPS];
      return stamp(diameter(rank, size) / 2, ink[3] * (1 - 0.45 * rank),
        [(across + 0.5) / STEPS, (down + 0.5) / STEPS], this.stride);
    });
  }
}

/** The diameter of a dot; `rank` is from 0 for the most frequent word to 1. */
function diameter(rank, size) {
  return size * (2.2 - 1.4 * rank);
}

/** Return the pixels of a dot: their offsets from that of its center, and their alphas from 0 to 255. */
function stamp(radius, opacity, [x, y], stride) {
  const reach = Math.ceil(radius);
  const offsets = [];
  const alphas = [];
  for (let row = -reach; row <= reach; row += 1) {
    for (let column = -reach; column <= reach; column += 1) {
      const from = Math.hypot(column + 0.5 - x, row + 0.5 - y) / radius;
      const fade = Math.max(0, Math.min(1, (from - SOFT) / (1 - SOFT)));
      const alpha = Math.round(255 * opacity * (1 - fade * fade * (3 - 2 * fade)));
      if (alpha > 0) {
        offsets.push(row * stride + column);
        alphas.push(alpha);
      }
    }
  }
  return { offsets: Int32Array.from(offsets), alphas: Uint8Array.from(alphas) };
}
