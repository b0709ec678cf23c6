// Colors of the page's style as numbers.

/** Return a computed color as [red, green, blue, alpha], the first three from 0 to 255. */
export function rgbaOf(color) {
  const [red, green, blue, alpha = 1] = color.match(/-?[\d.]+(?:e-?\d+)?/g).map(Number);
  // A system color with an alpha of its own is computed as color(srgb ...), from 0 to 1.
  const scale = color.startsWith("color(") ? 255 : 1;
  return [...[red, green, blue].map((part) => Math.round(part * scale)), alpha];
}
