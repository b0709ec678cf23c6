// A grid of cells over all points, which finds the points near a position.

const POINTS_PER_CELL = 8;

export class Grid {
  /** `places` is x0 y0 x1 y1 ...; `bounds` is {left, right, bottom, top} of nearly all of them. */
  constructor(places, bounds) {
    this.places = places;
    this.bounds = bounds;
    const count = places.length / 2;
    this.side = Math.max(1, Math.ceil(Math.sqrt(count / POINTS_PER_CELL)));
    this.starts = new Uint32Array(this.side * this.side + 1);
    const cells = new Uint32Array(count);
    for (let id = 0; id < count; id += 1) {
      cells[id] = this.row(places[2 * id + 1]) * this.side + this.column(places[2 * id]);
      this.starts[cells[id] + 1] += 1;
    }
    for (let cell = 1; cell < this.starts.length; cell += 1) this.starts[cell] += this.starts[cell - 1];
    // Ids are added in increasing order, so that the frequent words come first in each cell.
    const next = this.starts.slice();
    this.ids = new Uint32Array(count);
    for (let id = 0; id < count; id += 1) this.ids[next[cells[id]]++] = id;
  }

  column(x) {
    return this.slot((x - this.bounds.left) / (this.bounds.right - this.bounds.left));
  }

  row(y) {
    return this.slot((y - this.bounds.bottom) / (this.bounds.top - this.bounds.bottom));
  }

  /** Points outside the bounds belong to the outermost cells. */
  slot(share) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(share * this.side))) || 0;
  }

  /** Call `visit(id)` for the points below `limit` of every cell that touches the rectangle. */
  each({ left, right, bottom, top }, limit, visit) {
    for (let row = this.row(bottom); row <= this.row(top); row += 1) {
      for (let column = this.column(left); column <= this.column(right); column += 1) {
        const cell = row * this.side + column;
        for (let at = this.starts[cell]; at < this.starts[cell + 1]; at += 1) {
          if (this.ids[at] >= limit) break;
          visit(this.ids[at]);
        }
      }
    }
  }

  /** Return the id below `limit` nearest to a position and within `radius` of it, or -1. */
  nearest(x, y, radius, limit) {
    let best = -1;
    let least = radius * radius;
    const around = { left: x - radius, right: x + radius, bottom: y - radius, top: y + radius };
    this.each(around, limit, (id) => {
      const distance = (this.places[2 * id] - x) ** 2 + (this.places[2 * id + 1] - y) ** 2;
      if (distance <= least) [best, least] = [id, distance];
    });
    return best;
  }

  /** Return the ids below `limit` inside a rectangle, the most frequent words first. */
  inside(rectangle, limit) {
    const { left, right, bottom, top } = rectangle;
    const found = [];
    this.each(rectangle, limit, (id) => {
      const x = this.places[2 * id];
      const y = this.places[2 * id + 1];
      if (x >= left && x <= right && y >= bottom && y <= top) found.push(id);
    });
    return Uint32Array.from(found).sort();
  }
}

/** Return the bounds, {left, right, bottom, top}, without the outermost 0.2 % on each side. */
export function boundsOfMost(places) {
  const count = places.length / 2;
  const step = Math.max(1, Math.floor(count / 5000));
  const span = (offset) => {
    const sample = [];
    for (let id = 0; id < count; id += step) sample.push(places[2 * id + offset]);
    const sorted = Float32Array.from(sample).sort();
    const out = Math.floor(sorted.length / 500);
    const [low, high] = [sorted[out] ?? -1, sorted[sorted.length - 1 - out] ?? 1];
    return high > low ? [low, high] : [low - 1, high + 1];
  };
  const [left, right] = span(0);
  const [bottom, top] = span(1);
  return { left, right, bottom, top };
}
