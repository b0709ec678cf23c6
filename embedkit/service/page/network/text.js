// Numbers as text.

/** Write a number with a real minus sign, and more digits if it would be rounded to 0. */
export function number(value, digits = 2) {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const isSmall = size > 0 && size < 0.5 * 10 ** -digits;
  let text = value.toFixed(digits);
  if (isSmall) text = value.toPrecision(1);
  if (size >= 1e6) text = value.toExponential(1);
  return text.replace(/^-(?=0(\.0*)?$)/, "").replace(/-/g, "−");
}

/** Write a probability. */
export function percent(share) {
  return number(share, 4);
}
