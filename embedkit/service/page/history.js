// The questions asked in this tab, newest first; a click asks one again.

import { byId, make } from "./shared/dom.js";

const MOST = 50;
const KEY = "questions";

export class History {
  /** `ask(expression)` asks a question again. The list is kept until the tab is closed. */
  constructor(ask) {
    this.ask = ask;
    this.list = stored();
    byId("history-clear").addEventListener("click", () => {
      this.list = [];
      this.keep();
    });
    this.show();
  }

  /** Add a question and its best answer. */
  add(expression, best) {
    this.list = [{ expression, best }, ...this.list.filter((one) => one.expression !== expression)].slice(0, MOST);
    this.keep();
  }

  keep() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.list));
    } catch {
      // storage is disabled or full: the list lasts until the page is reloaded
    }
    this.show();
  }

  show() {
    byId("history").replaceChildren(...this.list.map(({ expression, best }) => make("li", {},
      make("button", { type: "button", onclick: () => this.ask(expression) }, expression),
      make("span", {}, best ? ` ${best}` : ""))));
    byId("history-box").hidden = this.list.length === 0;
  }
}

function stored() {
  try {
    const list = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return list.filter(({ expression }) => typeof expression === "string");
  } catch {
    return [];
  }
}
