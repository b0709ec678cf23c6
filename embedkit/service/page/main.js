// The page: the question is in the address; the answers, the map and the lesson show its results.

import { Answers } from "./answers.js";
import { get, getFloats, latest, post, service } from "./api.js";
import { Box } from "./box.js";
import { debounced } from "./debounce.js";
import { inExpression, withWord } from "./expression.js";
import { describeFigure, figureOf } from "./figure.js";
import { showLesson } from "./lesson.js";
import { WordMap } from "./map.js";
import { hideProblem, showComposed, showProblem, showReading } from "./problem.js";
import { answerTo } from "./question.js";
import { byId, make } from "./shared/dom.js";
import { ZOOM_STEP } from "./shared/gestures.js";
import { Address } from "./state.js";
import { Words } from "./words.js";

const ASK_DELAY = 140; // milliseconds without a key press before the expression is sent
const PROBLEM_DELAY = 900; // and before its errors are shown: the user may still be typing a word
const WORDS_COMPARED = 5;
const MAX_WORDS_ON_MAP = 100; // the limit of /v1/project

const address = new Address();
let shown = null; // the last answer of the service
const signal = latest();

const box = new Box({
  changed: (text) => {
    address.type(text);
    answers.markStale(true);
    askSoon();
  },
  entered: () => ask({ expression: box.value }),
  down: () => answers.enter(),
});
const answers = new Answers({
  explore: (word) => explore(word, ""),
  leave: () => box.focus(),
  highlight: (word) => map.highlight(word),
});
const map = new WordMap({
  words: new Words(() => map.redraw()),
  explore,
  moved: (view) => address.adjust({ view }),
  shown: debounced(describeMap, 400),
});

const showProblemLater = debounced((error) => showProblem(error, correct), PROBLEM_DELAY);
const askSoon = debounced(() => answer(showProblemLater), ASK_DELAY);

/** Change the question, with a new history entry, and answer it. */
function ask(change) {
  address.step({ view: null, ...change });
  follow();
}

/** Update the page to show the state of the address. */
function follow() {
  const { state } = address;
  box.value = state.expression;
  byId("k").value = state.k;
  byId("metric").value = state.metric;
  for (const button of document.querySelectorAll("[data-axes]")) {
    button.setAttribute("aria-pressed", String(button.dataset.axes === state.axes));
  }
  askSoon.cancel();
  answer((error) => showProblem(error, correct));
}

function explore(word, operator) {
  const written = inExpression(word);
  const before = address.state.expression.trim();
  ask({ expression: operator && before ? `${before} ${operator} ${written}` : written });
}

/** Take a suggestion for the wrong word of an error. */
function correct({ reading = address.state.expression, word }, right) {
  ask({ expression: withWord(reading, word, right) });
  box.focus();
}

async function answer(onProblem) {
  const current = signal();
  showProblemLater.cancel();
  const { expression, k, metric } = address.state;
  document.title = expression.trim() ? `${expression} · embedkit` : "embedkit";
  if (!expression.trim()) {
    showComposed([]);
    return hideProblem();
  }
  try {
    const found = await answerTo({ expression, k, metric }, current);
    hideProblem();
    showReading(found.reading === expression ? "" : found.reading);
    showComposed(found.composed ?? []);
    answers.show(expression, found.answers, metric);
    shown = found;
    await Promise.all([placeOnMap(current), compare(current)]);
  } catch (error) {
    if (error.name === "AbortError" || current.aborted) return;
    answers.markStale(true);
    showComposed([]);
    if (error.type) onProblem(error);
  }
}

/** Return the words of the question, then its answers, without duplicates. */
function wordsShown() {
  return [...new Set([...shown.terms, ...shown.answers].map(({ word }) => word))];
}

async function placeOnMap(current) {
  const words = wordsShown().slice(0, MAX_WORDS_ON_MAP);
  const { points, explained } = await post("v1/project", { words, fit: address.state.axes }, current);
  const isWhole = address.state.axes === "vocabulary";
  await cloud;
  current.throwIfAborted();
  const figure = figureOf(shown, points);
  map.show(figure, { hasCloud: isWhole, view: address.state.view });
  const share = explained.reduce((sum, part) => sum + part, 0);
  byId("map-caption").textContent = `Axes: the first two principal components of ${
    isWhole ? "all" : "these"} words, ${Math.round(share * 100)}% of the variance.`;
}

async function compare(current) {
  showLesson(await post("v1/compare", { words: wordsShown().slice(0, WORDS_COMPARED) }, current));
}

/** Describe the map in text, for screen readers. */
function describeMap(labelled) {
  if (!shown) return;
  const description = describeFigure(map.figure);
  byId("map-words").replaceChildren(make("p", {}, description), make("p", {}, "Words labeled on the map:"),
    make("ul", {}, ...labelled.map(({ word, x, y }) =>
      make("li", {}, `${word} (${x.toFixed(2)}, ${y.toFixed(2)})`))));
}

function listenToControls() {
  byId("k").addEventListener("change", (event) => ask({ k: Number(event.target.value) }));
  byId("metric").addEventListener("change", (event) => ask({ metric: event.target.value }));
  for (const button of document.querySelectorAll("[data-axes]")) {
    button.addEventListener("click", () => ask({ axes: button.dataset.axes }));
  }
  byId("zoom-in").addEventListener("click", () => map.zoomBy(ZOOM_STEP));
  byId("zoom-out").addEventListener("click", () => map.zoomBy(1 / ZOOM_STEP));
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
    target.textContent = "Copy it from the address bar"; // no clipboard without HTTPS
  }
  setTimeout(() => { target.textContent = "Copy link"; }, 1500);
}

function listenToService() {
  const banner = byId("banner");
  const texts = {
    ok: "",
    busy: "The service is busy. Trying again in a moment.",
    offline: "The service cannot be reached. Trying again every few seconds.",
  };
  let retry = 0;
  service.addEventListener("state", ({ detail }) => {
    banner.textContent = texts[detail];
    banner.hidden = detail === "ok";
    clearInterval(retry);
    if (detail === "offline") retry = setInterval(follow, 3000);
  });
}

/** Reload the page when the service has a new model: the map belongs to the old one. */
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
  map.note("The map could not be loaded.");
});
start().catch((error) => showProblem(error, correct));
