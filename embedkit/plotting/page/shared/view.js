// The visible part of a map: conversion between map coordinates and pixels, panning and zooming.

const SHORTEST = 1e-3; // units of the map: a single word has no width

export class View {
  /**
   * Zoom 1 shows `bounds`, {left, right, bottom, top}.
   *
   * `margin` is the share of the element that the bounds then fill, `zooms` the smallest and the
   * largest zoom.
   */
  constructor(bounds, { margin = 0.92, zooms = [0.5, 400] } = {}) {
    this.width = this.height = 1;
    this.margin = margin;
    this.zooms = zooms;
    this.fit(bounds);
  }

  /** Show these bounds at zoom 1. */
  fit(bounds) {
    this.bounds = bounds;
    this.x = (bounds.left + bounds.right) / 2;
    this.y = (bounds.bottom + bounds.top) / 2;
    this.zoom = 1;
  }

  /** Pixels per unit of the map. */
  get scale() {
    return this.scaleFor(this.bounds) * this.margin * this.zoom;
  }

  /** The scale at which bounds fill the element. */
  scaleFor({ left, right, bottom, top }) {
    return Math.min(
      this.width / Math.max(right - left, SHORTEST), this.height / Math.max(top - bottom, SHORTEST));
  }

  get rectangle() {
    const [across, up] = [this.width / this.scale / 2, this.height / this.scale / 2];
    return { left: this.x - across, right: this.x + across, bottom: this.y - up, top: this.y + up };
  }

  toPixels({ x, y }) {
    const { scale } = this;
    return [this.width / 2 + (x - this.x) * scale, this.height / 2 - (y - this.y) * scale];
  }

  toPlace(left, top) {
    const { scale } = this;
    return { x: this.x + (left - this.width / 2) / scale, y: this.y - (top - this.height / 2) / scale };
  }

  /** Return the point nearest to a pixel if it is closer than `reach` pixels, or null. */
  nearest(points, left, top, reach) {
    const { x, y } = this.toPlace(left, top);
    let best = null;
    let least = reach / this.scale;
    for (const point of points) {
      const distance = Math.hypot(point.x - x, point.y - y);
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  pan(right, down) {
    this.look(this.x - right / this.scale, this.y + down / this.scale, this.zoom);
  }

  /** Zoom around a pixel, by default the center: the place under it does not move. */
  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const before = this.toPlace(left, top);
    this.zoom = clamp(this.zoom * factor, ...this.zooms);
    const after = this.toPlace(left, top);
    this.look(this.x + before.x - after.x, this.y + before.y - after.y, this.zoom);
  }

  /** Center the view on (x, y), which stays within reach of the bounds. */
  look(x, y, zoom) {
    const { left, right, bottom, top } = this.bounds;
    const reach = Math.max(right - left, top - bottom) / 2;
    this.zoom = clamp(zoom, ...this.zooms);
    this.x = clamp(x, left - reach, right + reach);
    this.y = clamp(y, bottom - reach, top + reach);
  }

  /** Return the {x, y, zoom} that shows these points with some space around them. */
  around(points, maximum = 12) {
    const bounds = boundsOf(points);
    const zoom = 0.68 * this.scaleFor(bounds) / (this.scale / this.zoom);
    return {
      x: (bounds.left + bounds.right) / 2,
      y: (bounds.bottom + bounds.top) / 2,
      zoom: clamp(zoom, 1, maximum),
    };
  }
}

/** Return the bounds of points; `spare` is added on each side, as a share of the longer side. */
export function boundsOf(points, spare = 0) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [bottom, top] = [Math.min(bottom, y), Math.max(top, y)];
  }
  const added = Math.max(right - left, top - bottom, 0.01) * spare;
  return { left: left - added, right: right + added, bottom: bottom - added, top: top + added };
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
