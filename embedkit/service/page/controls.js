// The buttons and fields beside the answers and the map, and the link to the page.

import { byId } from "./shared/dom.js";
import { ZOOM_STEP } from "./shared/gestures.js";

/** Show the state of the page on its controls; `axes` are those shown, if the chosen ones are impossible. */
export function showState({ k, metric, axes, axis, pairs }) {
  byId("k").value = k;
  byId("metric").value = metric;
  for (const button of document.querySelectorAll("[data-axes]")) {
    button.setAttribute("aria-pressed", String(button.dataset.axes === axes && !pairs.length));
  }
  const chosen = JSON.stringify(pairs);
  for (const button of document.querySelectorAll("#relations button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pairs === chosen));
  }
  byId("axis-form").hidden = axes !== "pair" || pairs.length > 0;
  [byId("axis-from").value, byId("axis-to").value] = axis;
}

/** Connect the controls: `ask(change)` changes the state with a history entry, `follow()` shows it. */
export function listenToControls({ address, ask, map, follow }) {
  byId("k").addEventListener("change", (event) => ask({ k: Number(event.target.value) }));
  byId("metric").addEventListener("change", (event) => ask({ metric: event.target.value }));
  for (const button of document.querySelectorAll("[data-axes]")) {
    button.addEventListener("click", () => ask({ axes: button.dataset.axes, pairs: [] }));
  }
  byId("axis-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = [byId("axis-from"), byId("axis-to")];
    const axis = [from.value.trim(), to.value.trim()];
    const areWords = axis.every(Boolean) && axis[0] !== axis[1];
    to.setCustomValidity(areWords ? "" : "Choose two different words.");
    if (to.reportValidity()) ask({ axis });
  });
  byId("axis-form").addEventListener("input", () => byId("axis-to").setCustomValidity(""));
  byId("zoom-in").addEventListener("click", () => map.zoomBy(ZOOM_STEP));
  byId("zoom-out").addEventListener("click", () => map.zoomBy(1 / ZOOM_STEP));
  byId("zoom-figure").addEventListener("click", () => map.goTo("figure"));
  byId("zoom-all").addEventListener("click", () => map.goTo("all"));
  byId("copy").addEventListener("click", ({ target }) => {
    address.writeNow();
    copy(location.href, target);
  });
  addEventListener("popstate", () => {
    address.read();
    follow();
  });
}

/** Copy a text to the clipboard and say so on the button. */
export async function copy(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow copying"; // no clipboard without HTTPS
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}
