// The window onto the map: from places on it to pixels and back.

const MARGIN = 0.92;
const ZOOMS = [0.5, 400];

export class View {
  constructor(bounds) {
    this.width = this.height = 1;
    this.fit(bounds);
  }

  /** Zoom 1 shows these bounds, {left, right, bottom, top}. */
  fit(bounds) {
    this.bounds = bounds;
    this.x = (bounds.left + bounds.right) / 2;
    this.y = (bounds.bottom + bounds.top) / 2;
    this.zoom = 1;
  }

  /** Pixels per unit of the map. */
  get scale() {
    const { left, right, bottom, top } = this.bounds;
    const fitting = Math.min(this.width / (right - left), this.height / (top - bottom));
    return fitting * MARGIN * this.zoom;
  }

  get rectangle() {
    const [across, up] = [this.width / this.scale / 2, this.height / this.scale / 2];
    return { left: this.x - across, right: this.x + across, bottom: this.y - up, top: this.y + up };
  }

  toPixels(x, y) {
    const { scale } = this;
    return [this.width / 2 + (x - this.x) * scale, this.height / 2 - (y - this.y) * scale];
  }

  toPlace(left, top) {
    const { scale } = this;
    return [this.x + (left - this.width / 2) / scale, this.y - (top - this.height / 2) / scale];
  }

  pan(right, down) {
    this.look(this.x - right / this.scale, this.y + down / this.scale, this.zoom);
  }

  /** Zoom so that the place under a pixel stays under it. */
  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toPlace(left, top);
    this.zoom = clamp(this.zoom * factor, ...ZOOMS);
    const [movedX, movedY] = this.toPlace(left, top);
    this.look(this.x + x - movedX, this.y + y - movedY, this.zoom);
  }

  look(x, y, zoom) {
    const { left, right, bottom, top } = this.bounds;
    this.zoom = clamp(zoom, ...ZOOMS);
    // The map can be pushed to the edge, never lost.
    this.x = clamp(x, left - (right - left) / 2, right + (right - left) / 2);
    this.y = clamp(y, bottom - (top - bottom) / 2, top + (top - bottom) / 2);
  }

  /** Return the {x, y, zoom} that shows these places with some room around them. */
  around(places, furthest = 12) {
    const xs = places.map(({ x }) => x);
    const ys = places.map(({ y }) => y);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
    const fitting = this.scale / this.zoom;
    const zoom = 0.68 * Math.min(
      this.width / ((right - left) * fitting || 1e-9), this.height / ((top - bottom) * fitting || 1e-9));
    return { x: (left + right) / 2, y: (bottom + top) / 2, zoom: clamp(zoom, 1, furthest) };
  }
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
