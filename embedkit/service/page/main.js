// The page: the address says what is asked; the answers, the map and the lesson follow it.

import { Answers } from "./answers.js";
import { get, getFloats, latest, post, service } from "./api.js";
import { Box } from "./box.js";
import { byId, debounced, inExpression, make } from "./dom.js";
import { figureOf, tellFigure } from "./figure.js";
import { showLesson } from "./lesson.js";
import { WordMap } from "./map.js";
import { hideProblem, showProblem } from "./problem.js";
import { Address } from "./state.js";
import { Words } from "./words.js";

const TYPING = 140; // milliseconds of rest after which what is written is asked
const PATIENCE = 900; // and after which it is called wrong: half a word is no mistake yet
const WORDS_COMPARED = 5;
const WORDS_PLACED = 100; // as many as the service places at once

const address = new Address();
let shown = null; // what the service answered last
const signal = latest();

const box = new Box({
  changed: (text) => {
    address.type(text);
    answers.stale(true);
    askSoon();
  },
  entered: () => ask({ expression: box.value }),
  down: () => answers.enter(),
});
const answers = new Answers({
  explore: (word) => explore(word, ""),
  leave: () => box.focus(),
  light: (word) => map.light(word),
});
const map = new WordMap({
  words: new Words(() => map.redraw()),
  explore,
  moved: (view) => address.adjust({ view }),
  shown: debounced(showInWords, 400),
});

const complain = debounced((error) => {
  box.giveWay(error.word);
  showProblem(error, mend);
}, PATIENCE);
const askSoon = debounced(() => answer(complain), TYPING);

/** Change what is asked, as a step that the back button undoes, and answer it. */
function ask(change) {
  address.step({ view: null, ...change });
  follow();
}

/** Show what the state says. */
function follow() {
  const { state } = address;
  box.value = state.expression;
  byId("k").value = state.k;
  byId("metric").value = state.metric;
  for (const button of document.querySelectorAll("[data-axes]")) {
    button.setAttribute("aria-pressed", String(button.dataset.axes === state.axes));
  }
  askSoon.cancel();
  answer((error) => showProblem(error, mend));
}

function explore(word, operator) {
  const said = inExpression(word);
  const before = address.state.expression.trim();
  ask({ expression: operator && before ? `${before} ${operator} ${said}` : said });
}

function mend(wrong, right) {
  ask({ expression: address.state.expression.replace(wrong, inExpression(right)) });
  box.focus();
}

async function answer(tellProblem) {
  const current = signal();
  complain.cancel();
  const { expression, k, metric } = address.state;
  document.title = expression.trim() ? `${expression} · embedkit` : "embedkit";
  if (!expression.trim()) return hideProblem();
  try {
    const found = await post("v1/query", { expression, k, metric }, current);
    hideProblem();
    answers.show(expression, found.answers, metric);
    shown = found;
    await Promise.all([placeOnMap(current), compare(current)]);
  } catch (error) {
    if (error.name === "AbortError" || current.aborted) return;
    answers.stale(true);
    if (error.type) tellProblem(error);
  }
}

/** Return the words of the question and then its answers, each once. */
function inPlay() {
  return [...new Set([...shown.terms, ...shown.answers].map(({ word }) => word))];
}

async function placeOnMap(current) {
  const words = inPlay().slice(0, WORDS_PLACED);
  const { points, explained } = await post("v1/project", { words, fit: address.state.axes }, current);
  const isWhole = address.state.axes === "vocabulary";
  await cloud;
  current.throwIfAborted();
  const figure = figureOf(shown, points);
  map.show(figure, { hasCloud: isWhole, view: address.state.view });
  const share = explained.reduce((sum, part) => sum + part, 0);
  byId("map-caption").textContent = `Axes: the two directions in which ${isWhole ? "all" : "these"
  } words differ most, ${Math.round(share * 100)} % of the difference.`;
}

async function compare(current) {
  showLesson(await post("v1/compare", { words: inPlay().slice(0, WORDS_COMPARED) }, current));
}

/** The map for those who do not see it. */
function showInWords(labelled) {
  if (!shown) return;
  const told = tellFigure(map.figure);
  byId("map-words").replaceChildren(make("p", {}, told), make("p", {}, "Words written on it now:"),
    make("ul", {}, ...labelled.map(({ word, x, y }) =>
      make("li", {}, `${word} (${x.toFixed(2)}, ${y.toFixed(2)})`))));
}

function listenToControls() {
  byId("k").addEventListener("change", (event) => ask({ k: Number(event.target.value) }));
  byId("metric").addEventListener("change", (event) => ask({ metric: event.target.value }));
  for (const button of document.querySelectorAll("[data-axes]")) {
    button.addEventListener("click", () => ask({ axes: button.dataset.axes }));
  }
  byId("zoom-in").addEventListener("click", () => map.zoomBy(1.5));
  byId("zoom-out").addEventListener("click", () => map.zoomBy(1 / 1.5));
  byId("zoom-figure").addEventListener("click", () => map.goTo("figure"));
  byId("zoom-all").addEventListener("click", () => map.goTo("all"));
  byId("copy").addEventListener("click", copyLink);
  addEventListener("popstate", () => {
    address.read();
    follow();
  });
}

async function copyLink({ target }) {
  address.writeNow();
  try {
    await navigator.clipboard.writeText(location.href);
    target.textContent = "Copied";
  } catch {
    target.textContent = "It is the page's address"; // no clipboard without HTTPS
  }
  setTimeout(() => { target.textContent = "Copy link"; }, 1500);
}

function listenToService() {
  const banner = byId("banner");
  const texts = {
    well: "",
    busy: "The service is busy; asking again in a moment.",
    offline: "The service cannot be reached. What you see stays; it is asked again by itself.",
  };
  let again = 0;
  service.addEventListener("state", ({ detail }) => {
    banner.textContent = texts[detail];
    banner.hidden = detail === "well";
    clearInterval(again);
    if (detail === "offline") again = setInterval(follow, 3000);
  });
}

/** The map belongs to the model it was drawn from: who comes back to another one starts anew. */
function followModel(generation) {
  document.addEventListener("visibilitychange", async () => {
    if (document.hidden) return;
    const now = await get("v1/model").catch(() => ({ generation }));
    if (now.generation !== generation) location.reload();
  });
}

async function start() {
  listenToControls();
  listenToService();
  const model = await get("v1/model");
  followModel(model.generation);
  const count = model.words.toLocaleString("en");
  byId("facts").textContent = `${model.name}: ${count} words, ${model.dimension} dimensions`;
  byId("map").setAttribute("aria-label", `Map of ${count} words`);
  byId("examples").replaceChildren(...model.examples.map((expression) => make("li", {},
    make("button", { type: "button", onclick: () => ask({ expression }) }, expression))));
  const [first] = model.examples;
  if (first && !address.state.expression) address.adjust({ expression: first });
  follow();
}

const cloud = getFloats("v1/map").then((places) => map.fill(places), () => {
  map.note("The map could not be fetched.");
});
start().catch((error) => showProblem(error, mend));
