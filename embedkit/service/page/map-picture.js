// Pictures of the map as it is shown, for files.

import { LABELS } from "./scene.js";
import { Overlay } from "./shared/overlay.js";
import { SvgPen } from "./svg-pen.js";

/** Return the map as a PNG, a Promise of a Blob. */
export function asPng(map) {
  const canvas = document.createElement("canvas");
  const layers = map.element.querySelectorAll("canvas");
  [canvas.width, canvas.height] = [layers[0].width, layers[0].height];
  const pen = canvas.getContext("2d");
  pen.fillStyle = map.colors.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const layer of layers) pen.drawImage(layer, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Return the map as the text of an SVG file: points, arrows, and labels as text. */
export function asSvg(map) {
  const { view, colors } = map;
  const pen = new SvgPen(view.width, view.height);
  pen.fillStyle = colors.paper;
  pen.fillRect(0, 0, view.width, view.height);
  pen.fillStyle = colors.cloud;
  for (const id of map.visiblePoints()) {
    const [x, y] = view.toPixels(map.placeOf(id));
    pen.circle(x, y, map.pointSize / 2);
  }
  const overlay = new Overlay({ getContext: () => pen }, LABELS);
  map.drawOverlay(overlay, 1);
  return pen.text();
}
