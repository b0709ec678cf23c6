// Mouse, touch and keyboard input on a map: dragging, pinching, the wheel and keys move its view.

const CLICK = 5; // pixels that a pointer may move during a click
const KEY_STEP = 60; // pixels
export const ZOOM_STEP = 1.5;
const SCROLL_REST = 300; // milliseconds after scrolling the page before the wheel zooms the map

/**
 * Connect an element to `map`, which has view, moved(), hover(left, top), pick(left, top) and
 * press(key). Keys are listened for on `keyboard`: the element, or the whole window.
 */
export function listen(element, map, keyboard = element) {
  const pointers = new Map();
  let travelled = 0;
  let scrolled = -Infinity;
  addEventListener("scroll", () => { scrolled = performance.now(); }, { passive: true });

  const at = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  // Buttons inside the map and input fields handle their own events.
  const isControl = ({ target }) => target.matches?.("input")
    || (target !== element && element.contains(target) && target.closest("button") !== null);

  // Where the style lets one finger scroll the page past the map, only two fingers move the map.
  const scrolls = (event) =>
    event.pointerType === "touch" && getComputedStyle(element).touchAction !== "none";
  element.addEventListener("touchmove", (event) => {
    if (event.touches.length > 1 && event.cancelable) event.preventDefault();
  }, { passive: false });

  element.addEventListener("pointerdown", (event) => {
    if (isControl(event) || (event.pointerType === "mouse" && event.button !== 0)) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    if (pointers.size === 1) travelled = 0;
  });

  element.addEventListener("pointermove", (event) => {
    const [left, top] = at(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") map.hover(left, top);
      return;
    }
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    pointers.set(event.pointerId, [left, top]);
    travelled += Math.hypot(left - before[0], top - before[1]);
    if (travelled < CLICK || (!others.length && scrolls(event))) return;
    const share = 1 / pointers.size; // each of two fingers reports the same movement
    map.view.pan((left - before[0]) * share, (top - before[1]) * share);
    if (others.length) pinch(map.view, before, [left, top], others[0]);
    map.moved();
  });

  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (event.type === "pointerup" && travelled < CLICK && pointers.size === 0) map.pick(...at(event));
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  // A lifted finger leaves too, but the word it touched stays selected.
  element.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") map.hover(-1000, -1000);
  });

  element.addEventListener("wheel", (event) => {
    // Scrolling the page past the map must not turn into zooming.
    if (performance.now() - scrolled < SCROLL_REST && !event.ctrlKey) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    map.view.zoomAt(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), ...at(event));
    map.moved();
  }, { passive: false });

  keyboard.addEventListener("keydown", (event) => {
    if (isControl(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (pan(map, event.key) || map.press(event.key)) event.preventDefault();
  });
}

function pinch(view, before, now, other) {
  const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
  view.zoomAt(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function pan(map, key) {
  const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const factors = { "+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP };
  if (key in steps) map.view.pan(steps[key][0] * KEY_STEP, steps[key][1] * KEY_STEP);
  else if (key in factors) map.view.zoomAt(factors[key]);
  else return false;
  map.moved();
  return true;
}
