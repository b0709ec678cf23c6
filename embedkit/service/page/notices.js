// What each page shows about the service: a banner, and the dialog that asks for the API key.

import { make } from "./shared/dom.js";

const banner = make("p", { className: "banner", id: "banner", role: "status", hidden: true });

const field = make("input", { id: "key", type: "password", autocomplete: "off", required: true });
const problem = make("p", { id: "key-problem" },
  "Ask the person who runs it. The key is kept until you close this tab.");
const dialog = make("dialog", { id: "key-dialog", "aria-labelledby": "key-heading" },
  make("form", { method: "dialog" },
    make("h2", { id: "key-heading" }, "This service needs an API key"),
    problem,
    make("label", { htmlFor: "key" }, "API key"),
    field,
    make("button", { type: "submit", className: "primary" }, "Continue")));
dialog.addEventListener("cancel", (event) => event.preventDefault());

document.body.append(banner, dialog);

/** Show a text in the banner; "" hides it. */
export function notify(text) {
  banner.textContent = text;
  banner.hidden = !text;
}

/** Ask for the key in the dialog; return a promise of it. */
export function askKey(isRejected) {
  if (isRejected) problem.textContent = "That key was not accepted. Try another one.";
  field.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(field.value), { once: true });
  });
}
