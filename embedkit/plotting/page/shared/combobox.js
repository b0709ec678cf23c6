// A text field with a list of options below it, chosen by keyboard or pointer (the ARIA combobox).

import { make } from "./dom.js";

export class Combobox {
  /**
   * `render(item)` returns the children of an option; `take(item)` is called for the chosen one.
   * With `preselect` the first option is active from the start, and Enter takes it.
   */
  constructor(field, list, { render, take, preselect = false }) {
    Object.assign(this, { field, list, render, take });
    this.first = preselect ? 0 : -1;
    this.items = [];
    // A click would move the focus out of the field first and so close the list.
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("li");
      if (option) this.choose([...list.children].indexOf(option));
    });
    this.close();
  }

  get isOpen() {
    return !this.list.hidden;
  }

  open(items) {
    this.items = items;
    this.list.replaceChildren(...items.map((item, number) => make("li", {
      role: "option", id: `${this.list.id}-${number}`, "aria-selected": "false",
    }, ...this.render(item))));
    this.list.hidden = items.length === 0;
    this.field.setAttribute("aria-expanded", String(items.length > 0));
    this.activate(items.length ? this.first : -1);
  }

  close() {
    this.open([]);
  }

  activate(number) {
    this.active = number;
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === number));
    });
    const option = this.list.children[number];
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  /** Move to another option; without `preselect`, no option is active after the last one. */
  move(step) {
    const last = this.items.length - 1;
    const next = this.active + step;
    this.activate(next > last ? this.first : next < this.first ? last : next);
  }

  choose(number) {
    const item = this.items[number];
    this.close();
    this.take(item);
  }

  /** Handle a key while the list is open; return whether the key was handled. */
  press(key) {
    if (!this.isOpen) return false;
    if (key === "ArrowDown") this.move(1);
    else if (key === "ArrowUp") this.move(-1);
    else if (key === "Enter" && this.active >= 0) this.choose(this.active);
    else return false;
    return true;
  }
}
