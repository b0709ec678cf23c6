// Hands on the map: mouse, fingers and keys become movements of its view.

const CLICK = 5; // pixels a pointer may move and still have clicked
const KEY_STEP = 60;
const SCROLL_REST = 300; // milliseconds after which a wheel that scrolled the page may zoom the map

/** Connect an element to `map`, which has view, moved(), hover(left, top), pick(left, top), press(key). */
export function listen(element, map) {
  const pointers = new Map();
  let travelled = 0;
  let scrolled = -Infinity;
  addEventListener("scroll", () => { scrolled = performance.now(); }, { passive: true });

  const at = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const isElsewhere = (event) => event.target.closest("button") !== null;

  element.addEventListener("pointerdown", (event) => {
    if (isElsewhere(event) || (event.pointerType === "mouse" && event.button !== 0)) return;
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
    if (travelled < CLICK) return;
    const share = 1 / pointers.size; // two fingers that go together pan once
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
  // A finger that is lifted leaves as well, but what it touched stays told.
  element.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") map.hover(-1000, -1000);
  });

  element.addEventListener("wheel", (event) => {
    // A page that is being scrolled past the map goes on scrolling.
    if (performance.now() - scrolled < SCROLL_REST && !event.ctrlKey) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    map.view.zoomAt(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), ...at(event));
    map.moved();
  }, { passive: false });

  element.addEventListener("keydown", (event) => {
    if (isElsewhere(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (pan(map, event.key) || map.press(event.key)) event.preventDefault();
  });
}

function pinch(view, before, now, other) {
  const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
  view.zoomAt(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function pan(map, key) {
  const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const factors = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };
  if (key in steps) map.view.pan(steps[key][0] * KEY_STEP, steps[key][1] * KEY_STEP);
  else if (key in factors) map.view.zoomAt(factors[key]);
  else return false;
  map.moved();
  return true;
}
