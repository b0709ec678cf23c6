// The page: settings make a training; its state is shown as a picture, in words, and as a curve.

import { service } from "../api.js";
import { byId, make } from "../shared/dom.js";
import { DATA, listed, wordGroups } from "./data.js";
import { LESSON } from "./lesson.js";
import { workedOut } from "./neuron.js";
import { Picture } from "./picture.js";
import { RATES, readSettings, writeSettings } from "./settings.js";
import { startSoftmax } from "./softmax.js";
import { pairText, stageItems } from "./stages.js";
import { curve } from "./svg.js";
import { number } from "./text.js";
import { Training } from "./training.js";

const LONGEST_FRAME = 12; // milliseconds of training between two pictures
const CALM_FRAME = 500; // milliseconds between two pictures for readers who prefer reduced motion
const SPOKEN_EVERY = 5000; // milliseconds between two sentences of the status while running

const form = byId("settings");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let settings = readSettings();
let training = null;
let words = null; // the groups of words that the model knows
let shownNeuron = [1, 0];
let running = 0; // the request of the next frame
let loads = 0;

const picture = new Picture(byId("picture"), (layer, unit) => {
  shownNeuron = [layer, unit];
  showNeuron();
});

/* Settings */

/** Change the settings and begin anew. */
function change(part, isStep = true) {
  settings = { ...settings, ...part };
  writeSettings(settings, isStep);
  return load();
}

/** Load the data of the settings and begin; the newest call wins. */
async function load() {
  pause();
  loads += 1;
  const mine = loads;
  hideProblem();
  try {
    const { inputs, load: loadData } = DATA[settings.data];
    if (!(settings.inputs in inputs)) settings.inputs = Object.keys(inputs)[0];
    if (settings.data === "words") await prepareWords();
    if (mine !== loads) return;
    showSettings();
    const typed = [listed(settings.a), listed(settings.b)];
    const data = await loadData({ ...settings, groups: words?.groups, typed });
    if (mine !== loads) return;
    begin(data);
  } catch (error) {
    if (mine === loads) showProblem(error);
  }
}

/** Find the groups of words of this model, and choose one that it has. */
async function prepareWords() {
  words ??= await wordGroups();
  if (settings.group === "typed" || words.groups.some(({ id }) => id === settings.group)) {
    if (settings.group !== "typed" || settings.a || settings.b) return;
  }
  const [first] = words.groups;
  if (first && settings.group !== "typed") {
    settings.group = first.id;
    return;
  }
  const lists = words.typed ?? first.words;
  Object.assign(settings, { group: "typed", a: lists[0].join(", "), b: lists[1].join(", ") });
}

function showSettings() {
  const { inputs } = DATA[settings.data];
  fill(form.elements.inputs, Object.entries(inputs));
  const groups = (words?.groups ?? []).map(({ id, classes }) => [id, classes.join(" and ")]);
  fill(form.elements.group, [...groups, ["typed", "your own words"]]);
  for (const label of form.querySelectorAll("[data-for]")) {
    label.hidden = !label.dataset.for.split(" ").includes(settings.data);
  }
  byId("typed").hidden = settings.data !== "words" || settings.group !== "typed";
  form.elements.units.disabled = settings.layers === "0";
  form.elements.activation.disabled = settings.layers === "0";
  for (const field of form.elements) if (field.name && field.name in settings) field.value = settings[field.name];
  byId("note").textContent = settings.data === "words" && words?.typed
    ? "This model knows too few words of the ready classes. Sort some of its words into two classes of your own." : "";
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
}

/* Training */

function begin(data = training.data) {
  pause();
  hideProblem();
  const hidden = new Array(Number(settings.layers)).fill(Number(settings.units));
  training = new Training({
    data, hidden, activation: settings.activation, rate: Number(settings.rate), seed: settings.seed,
  });
  const stage = LESSON[settings.lesson - 1]?.stage;
  while (stage && training.stage !== stage) training.advance();
  picture.build(training);
  show();
}

/** Take stages until `count` are done or `limit` milliseconds have passed, or the loss is infinite. */
function take(count, limit = Infinity) {
  const end = performance.now() + limit;
  for (let done = 0; done < count && performance.now() < end; done += 1) {
    training.advance();
    if (training.hasDiverged) return sayDiverged();
  }
}

function act(action) {
  if (!training) return;
  pause();
  action();
  if (training.hasDiverged) sayDiverged();
  show();
  speak();
}

function run() {
  if (!training || training.hasDiverged) return;
  let last = performance.now();
  let spoken = last;
  let shown = 0;
  let owed = 0; // stages
  const frame = (now) => {
    running = requestAnimationFrame(frame);
    owed += Math.min(now - last, 200) / 1000 * Number(byId("speed").value);
    last = now;
    const count = Math.floor(owed);
    owed -= count;
    take(count, LONGEST_FRAME);
    if (count && now - shown >= (calm.matches ? CALM_FRAME : 0)) {
      shown = now;
      show();
    }
    if (now - spoken >= SPOKEN_EVERY) {
      spoken = now;
      speak();
    }
  };
  running = requestAnimationFrame(frame);
  showRunning(true);
}

function pause() {
  if (!running) return;
  cancelAnimationFrame(running);
  running = 0;
  showRunning(false);
  show();
  speak();
}

function showRunning(isRunning) {
  byId("run").setAttribute("aria-pressed", String(isRunning));
  byId("run").textContent = isRunning ? "Pause" : "Run";
}

/* What the page shows */

function show() {
  if (!training) return;
  for (const id of ["advance", "one", "run"]) byId(id).disabled = training.hasDiverged;
  showNeuron();
  byId("pair").replaceChildren(...pairText(training));
  byId("stages").replaceChildren(...stageItems(training));
  showCurve();
  if (byId("all").closest("details").open) showAll();
}

function showNeuron() {
  if (!training) return;
  const [layer, unit] = shownNeuron;
  const { title, parts } = workedOut(training, layer, unit);
  byId("neuron-heading").textContent = title;
  byId("neuron").replaceChildren(...parts);
  const lines = byId("lines").value;
  picture.update({ lines, layer, unit });
  byId("no-gradients").hidden = lines !== "gradients" || training.gradients !== null;
}

function summary() {
  const { data, outputs, meanLoss, seen, pair } = training;
  const count = `${seen.toLocaleString("en")} ${seen === 1 ? "step" : "steps"}`;
  return { text: `After ${count}: mean loss ${number(meanLoss, 4)}, ${data.score(outputs, data.pairs)}.`, pair };
}

function showCurve() {
  const { text } = summary();
  byId("summary").textContent = text;
  const dead = training.deadLayers.map((layer) => layer + 1);
  byId("dead").textContent = dead.length
    ? `All neurons of hidden layer ${dead[0]} are 0 for every pair, so their gradients are 0 and they can no longer learn. `
      + "Reset with new random weights." : "";
  const points = training.curve.map(({ seen, loss }) => [seen, loss]);
  const losses = points.map(([, loss]) => loss).filter(Number.isFinite);
  byId("curve").replaceChildren(curve({
    points, x: [0, Math.max(training.seen, 10)], y: [0, Math.max(...losses, 0.1)],
    dots: [{ x: points.at(-1)[0], y: points.at(-1)[1], isChosen: true }],
    label: `Curve of the mean loss: it began at ${number(losses[0])} and is ${number(losses.at(-1))}.`,
    across: "steps", upward: "mean loss",
  }));
}

function showAll() {
  const { data, outputs, index } = training;
  const rows = data.pairs.map((pair, row) => {
    const line = make("tr", {}, make("th", { scope: "row" }, pair.name), make("td", {}, data.truth(pair)),
      make("td", {}, data.answer(outputs[row])));
    if (row === index) line.className = "now";
    return line;
  });
  byId("all").replaceChildren(make("table", { className: "work" }, make("thead", {}, make("tr", {},
    ...["pair", "true", "the network says"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows)));
}

/** Tell screen readers how it goes: only now and then, not for each picture. */
function speak() {
  if (training) byId("status").textContent = `${summary().text} Stage: ${training.stage}.`;
}

/* Problems */

function hideProblem() {
  byId("problem").replaceChildren();
}

function showProblem(error) {
  if (error.name === "AbortError") return;
  byId("problem").replaceChildren(make("p", {}, error.message, " ", error.hint ?? ""));
}

function sayDiverged() {
  pause();
  const rate = Number(settings.rate);
  const smaller = RATES.filter((one) => one <= rate / 10).at(-1) ?? RATES[0];
  byId("problem").replaceChildren(
    make("p", {}, `The loss is no longer a finite number after ${training.seen.toLocaleString("en")} steps. With a learning rate of ${
      rate}, each step jumps over the lowest point and lands farther away, so the weights grow without end.`),
    make("p", { className: "chips" }, make("button", {
      type: "button",
      onclick: () => {
        change({ rate: String(smaller) });
        byId("run").focus();
      },
    }, `Reset with a learning rate of ${smaller}`)));
}

/* The guided tour */

function showLesson() {
  const step = LESSON[settings.lesson - 1];
  byId("lesson").hidden = !step;
  byId("lesson-start").hidden = Boolean(step);
  if (!step) return;
  byId("lesson-heading").textContent = `${settings.lesson} of ${LESSON.length}. ${step.title}`;
  byId("lesson-text").textContent = step.text;
  byId("lesson-back").disabled = settings.lesson === 1;
  byId("lesson-next").hidden = settings.lesson === LESSON.length;
}

async function goTo(lesson) {
  await change({ lesson, ...LESSON[lesson - 1]?.settings });
  showLesson();
  byId(lesson ? "lesson-heading" : "lesson-start").focus();
}

/* Controls */

function listen() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change({ a: form.elements.a.value, b: form.elements.b.value });
  });
  form.addEventListener("change", ({ target: { name, value } }) => {
    if (name === "a" || name === "b") return; // the button uses them
    if (name === "rate" && training) {
      settings.rate = value;
      writeSettings(settings, true);
      training.rate = Number(value);
      if (!training.hasDiverged) show();
    } else {
      change({ [name]: value });
    }
  });
  byId("advance").addEventListener("click", () => act(() => training.advance()));
  byId("one").addEventListener("click", () => act(() => training.step()));
  byId("run").addEventListener("click", () => (running ? pause() : run()));
  byId("reset").addEventListener("click", () => (training ? begin() : load()));
  byId("reseed").addEventListener("click", () => change({ seed: settings.seed + 1 }));
  byId("lines").addEventListener("change", showNeuron);
  byId("all").closest("details").addEventListener("toggle", showAll);
  byId("lesson-start").addEventListener("click", () => goTo(1));
  byId("lesson-back").addEventListener("click", () => goTo(settings.lesson - 1));
  byId("lesson-next").addEventListener("click", () => goTo(settings.lesson + 1));
  byId("lesson-end").addEventListener("click", () => goTo(0));
  byId("copy").addEventListener("click", copyLink);
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
}

function follow() {
  settings = readSettings();
  showLesson();
  load();
}

async function copyLink({ target }) {
  try {
    await navigator.clipboard.writeText(location.href);
    target.textContent = "Copied";
  } catch {
    target.textContent = "Copy it from the address bar"; // no clipboard without HTTPS
  }
  setTimeout(() => { target.textContent = "Copy link"; }, 1500);
}

service.addEventListener("state", ({ detail }) => {
  byId("banner").textContent = { busy: "The service is busy. Trying again in a moment.",
    offline: "The service cannot be reached. Choose the data again later." }[detail] ?? "";
  byId("banner").hidden = detail === "ok";
});

fill(form.elements.rate, RATES.map((rate) => [String(rate), String(rate)]));
listen();
startSoftmax();
showLesson();
load();
