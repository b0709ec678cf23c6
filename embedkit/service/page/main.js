// The page: the question is in the address; the answers, the map and the lesson show its results.

import { Answers } from "./answers.js";
import { get, getFloats, latest, linkTo, service, useModel } from "./api.js";
import { Box } from "./box.js";
import { listenToControls, showState } from "./controls.js";
import { debounced } from "./debounce.js";
import { inExpression, withWord } from "./expression.js";
import { describeFigure, figureOf } from "./figure.js";
import { allowExport, listenToExport } from "./export.js";
import { Guide } from "./guide.js";
import { History } from "./history.js";
import { knownWords } from "./known.js";
import { FIRST, Lesson } from "./lesson.js";
import { WordMap } from "./map.js";
import { pairsFigure, placesOf } from "./map-places.js";
import { notify } from "./notices.js";
import { hideProblem, showComposed, showProblem, showReading } from "./problem.js";
import { answerTo } from "./question.js";
import { RELATION_WORDS } from "./relations.js";
import { showExamples } from "./examples.js";
import { byId, make } from "./shared/dom.js";
import { Address } from "./state.js";
import { Versus } from "./versus.js";
import { Words } from "./words.js";

const ASK_DELAY = 140; // milliseconds without a key press before the expression is sent
const PROBLEM_DELAY = 900; // and before its errors are shown: the user may still be typing a word
const SETTLED = 1000; // an answer that stood for this time is a history entry of its own
const SERVICE_STATES = {
  ok: "",
  busy: "The service is busy. Trying again in a moment.",
  offline: "The service cannot be reached. Trying again every few seconds.",
};
const NEW_MODEL = "The service has loaded another model. Everything on this page now comes from it.";
const NO_MAP = "One-hot vectors are all equally far apart, so there is no map of them.";
const NOTICE_TIME = 8000; // milliseconds

const address = new Address();
const words = new Words(() => map.redraw());
const signal = latest();
let model = null; // the response of /v1/model
let cloud = null; // a promise of the positions of all words on the map, or null if there are none
let notice = 0; // the timer that removes a notice about the model
let loads = 0; // started so far; an older one stops when it notices
let asked = ""; // the name of the model that the page has loaded
let isRevealed = false;
let shown = null; // the last answer of the service

const box = new Box({
  changed: (text) => {
    settleSoon.cancel();
    address.type(text);
    outdate();
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
  words,
  explore,
  moved: (view) => address.adjust({ view }),
  shown: debounced(describeMap, 400),
});
const versus = new Versus({ ask, explore: (word) => explore(word, ""), highlight: (word) => map.highlight(word) });
const lesson = new Lesson({ words, change: (change) => address.step(change) });
const guide = new Guide({
  change: (change) => address.step(change),
  ask,
  compare: (chosen) => lesson.choose(chosen),
});

const past = new History((expression) => ask({ expression }));

const report = (error) => showProblem(error, correct);
const reportLater = debounced(report, PROBLEM_DELAY);
const askSoon = debounced(() => answer(reportLater), ASK_DELAY);
const settleSoon = debounced(() => {
  address.settle();
  past.add(shown.question, shown.answers[0]?.word);
}, SETTLED);

/** Change the question, with a new history entry, and answer it. */
function ask(change) {
  const isQuestion = "expression" in change;
  address.step({ view: null, ...(isQuestion ? { pairs: [] } : {}), ...change });
  follow();
}

/** Update the page to show the state of the address. */
function follow() {
  if (model && address.state.model !== asked) return load().catch(report);
  box.value = address.state.expression;
  showState({ ...address.state, axes: shownAxes() });
  guide.show(address.state.step);
  askSoon.cancel();
  answer(report);
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

/** Show that the answers do not belong to the question. */
function outdate() {
  answers.markStale(true);
  allowExport(false);
}

async function answer(onProblem) {
  const current = signal();
  reportLater.cancel();
  settleSoon.cancel();
  const { expression, k, metric } = address.state;
  document.title = expression.trim() ? `${expression} · embedkit` : "embedkit";
  if (!expression.trim()) {
    outdate();
    showComposed([]);
    showReading("");
    return hideProblem();
  }
  try {
    shown = { ...await answerTo({ expression, k, metric }, current), question: expression, k, metric, model: asked };
    hideProblem();
    showReading(shown.reading === expression ? "" : shown.reading);
    showComposed(shown.composed ?? []);
    answers.show(expression, shown.answers, metric);
    allowExport(true);
    settleSoon();
  } catch (error) {
    if (error.name === "AbortError" || current.aborted) return;
    outdate();
    showComposed([]);
    showReading("");
    if (error.type) onProblem(error);
    return;
  }
  placeOnMap(current).catch((error) => {
    if (error.type && !current.aborted) map.note(`${error.message} ${error.hint}`);
  });
  versus.compare({ expression: shown.reading, k, metric }, shown.answers.map(({ word }) => word),
    address.state, current);
  lesson.follow(wordsShown(), address.state).then(revealOnce);
}

/** Scroll to the step of a link when the page has its full height. */
function revealOnce() {
  if (!isRevealed) guide.reveal();
  isRevealed = true;
}

/** Return the words of the question, then its answers, without duplicates. */
function wordsShown() {
  return [...new Set([...shown.terms, ...shown.answers].map(({ word }) => word))];
}

/** Return the chosen axes; there is no map of the whole vocabulary of one-hot vectors. */
function shownAxes() {
  const { axes } = address.state;
  return axes === "vocabulary" && !cloud ? "words" : axes;
}

async function placeOnMap(current) {
  const { axis, pairs, view } = address.state;
  if (pairs.length) {
    const figure = await pairsFigure(pairs, current);
    current.throwIfAborted();
    map.note("");
    map.show(figure, { hasCloud: false, view, ends: null });
    byId("map-caption").textContent = "Axes: the first two principal components of these words. "
      + "Pairs with the same relation have nearly parallel arrows.";
    return;
  }
  const axes = shownAxes();
  const { points, caption, ends } = await placesOf(wordsShown(), { terms: shown.terms, axes, axis }, current);
  const isWhole = axes === "vocabulary";
  if (isWhole) await cloud;
  current.throwIfAborted();
  map.note("");
  map.show(figureOf(shown, points), { hasCloud: isWhole, view, ends });
  byId("map-caption").textContent = caption;
}

/** Describe the map in text, for screen readers. */
function describeMap(labeled) {
  if (!shown) return;
  const description = describeFigure(map.figure);
  byId("map-words").replaceChildren(make("p", {}, description), make("p", {}, "Words labeled on the map:"),
    make("ul", {}, ...labeled.map(({ word, x, y }) =>
      make("li", {}, `${word} (${x.toFixed(2)}, ${y.toFixed(2)})`))));
}

function listenToService() {
  let retry = 0;
  service.addEventListener("state", ({ detail }) => {
    if (detail !== "ok" || !notice) notify(SERVICE_STATES[detail]);
    clearInterval(retry);
    if (detail === "offline") retry = setInterval(follow, 3000);
  });
  service.addEventListener("generation", () => {
    load().then(() => announce(NEW_MODEL), report);
  });
  // Every answer tells which model it is from: ask when the user comes back.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) get("v1/model").catch(() => {});
  });
}

/** Show a notice for some seconds. */
function announce(text) {
  clearTimeout(notice);
  notice = setTimeout(() => {
    notice = 0;
    notify("");
  }, NOTICE_TIME);
  notify(text);
}

/** Load what belongs to the model: facts, examples, the map, and the words by id. */
async function load() {
  loads += 1;
  const mine = loads;
  asked = address.state.model;
  useModel(asked);
  await versus.load();
  if (mine !== loads) return;
  if (asked && versus.names.length && !versus.names.includes(asked)) {
    announce(`This service has no model ${asked}. The page shows ${versus.names[0]}.`);
    asked = "";
    address.adjust({ model: asked });
    useModel(asked);
  }
  byId("to-network").href = `network${linkTo(asked)}`;
  const found = await get("v1/model");
  if (mine !== loads) return;
  model = found;
  words.clear();
  const count = model.words.toLocaleString("en");
  byId("facts").textContent = `${model.name}: ${count} words, ${model.dimension.toLocaleString("en")} dimensions`;
  byId("map").setAttribute("aria-label", `Map of ${count} words`);
  const hasMap = model.encoder !== "onehot";
  byId("axes-vocabulary").disabled = !hasMap;
  byId("axes-vocabulary").title = hasMap ? "" : NO_MAP;
  cloud = hasMap ? getFloats("v1/map").then((places) => {
    if (mine === loads) map.fill(places);
  }, () => {
    if (mine === loads) map.note("The map could not be loaded.");
  }) : null;
  if (!hasMap) map.fill(new Float32Array(0));
  const known = knownWords([...FIRST, ...RELATION_WORDS, ...guide.offers.flatMap((one) => one.words)]);
  known.then((ready) => {
    if (mine === loads) guide.offer(ready);
  }, () => {}); // optional
  lesson.begin(model, known);
  const first = await showExamples(model, {
    known, ask, isCurrent: () => mine === loads, isShown: (pairs) => JSON.stringify(pairs) === JSON.stringify(address.state.pairs),
  });
  if (mine !== loads) return;
  if (first && !address.state.expression) address.adjust({ expression: first });
  follow();
}

listenToExport(() => {
  const { reading = "", k, metric, model: name } = shown ?? address.state;
  const question = { expression: reading, k, metric, ...(name ? { model: name } : {}) };
  return { question, answers: shown?.answers ?? [], map };
});
listenToControls({ address, ask, map, follow });
listenToService();
load().catch(report);
