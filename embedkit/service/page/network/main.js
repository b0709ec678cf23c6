// The page: settings make a training, which is shown as a picture, in words, and as a curve.

import { linkTo, service, useModel } from "../api.js";
import { notify } from "../notices.js";
import { byId, make } from "../shared/dom.js";
import { DATA, listed, wordGroups } from "./data.js";
import { stageItems, workedOut } from "./explanations.js";
import { curve, number } from "./figures.js";
import { LESSON } from "./lesson.js";
import { Picture } from "./picture.js";
import { RATES, readSettings, writeSettings } from "./settings.js";
import { startSoftmax } from "./softmax.js";
import { Training } from "./training.js";

const LONGEST_WORK = 12; // milliseconds of training between two pictures
const LONGEST_GAP = 200; // milliseconds to catch up with
const CALM = 500; // milliseconds between two pictures with reduced motion

const { elements } = byId("settings");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let settings = readSettings();
let training = null;
let words = null; // what wordGroups returned
let neuron = [1, 0]; // layer and unit that are worked out
let frame = 0; // the next request while running
let loads = 0;
let method = "replaceState"; // how the address changes next

const picture = new Picture(byId("picture"), (...shown) => {
  neuron = shown;
  showNeuron();
});

function change(part) {
  Object.assign(settings, part);
  method = "pushState";
  return load();
}

/** Load the data of the settings and begin; the newest call wins. */
async function load() {
  pause();
  loads += 1;
  const mine = loads;
  useModel(settings.model);
  byId("to-words").href = `./${linkTo(settings.model)}`;
  byId("problem").replaceChildren();
  try {
    const { inputs, load: loadData } = DATA[settings.data];
    if (!inputs[settings.inputs]) [settings.inputs] = Object.keys(inputs);
    if (settings.data === "words") await chooseWords();
    if (mine !== loads) return;
    showSettings();
    const data = await loadData({ ...settings, ...words, typed: [settings.a, settings.b].map(listed) });
    if (mine === loads) begin(data);
  } catch (error) {
    if (mine !== loads) return;
    byId("problem").replaceChildren(make("p", {}, `${error.message} ${error.hint ?? ""}`));
    training = null;
    allowTraining(false);
  }
}

/** Choose a group of words that this model knows, or words of its own. */
async function chooseWords() {
  words ??= await wordGroups();
  const { groups, typed } = words;
  if (settings.group !== "typed" && !groups.some(({ id }) => id === settings.group)) {
    settings.group = groups[0]?.id ?? "typed";
  }
  if (settings.group === "typed" && !settings.a && !settings.b) {
    [settings.a, settings.b] = typed.map((list) => list.join(", "));
  }
}

function showSettings() {
  writeSettings(settings, method);
  method = "replaceState";
  fill("inputs", Object.entries(DATA[settings.data].inputs));
  fill("group", [...(words?.groups ?? []).map(({ id, classes }) => [id, classes.join(" and ")]), ["typed", "your own words"]]);
  elements.group.parentNode.hidden = settings.data !== "words";
  elements.inputs.parentNode.hidden = settings.data === "people";
  byId("typed").hidden = settings.data !== "words" || settings.group !== "typed";
  byId("note").textContent = words && !words.groups.length
    ? "The model lacks the ready words. These are frequent words of its own: sort them, or type others." : "";
  for (const name of ["units", "activation"]) elements[name].disabled = settings.layers === "0";
  for (const field of elements) if (field.name) field.value = settings[field.name];
  const step = LESSON[settings.lesson - 1];
  byId("lesson").className = step ? "tour" : "";
  for (const id of ["heading", "text", "back", "end"]) byId(`lesson-${id}`).hidden = !step;
  byId("lesson-back").disabled = settings.lesson === "1";
  byId("lesson-next").hidden = LESSON.length === +settings.lesson;
  byId("lesson-next").textContent = step ? "Next" : `Guided tour, ${LESSON.length} steps`;
  byId("lesson-heading").textContent = `${settings.lesson} of ${LESSON.length}. ${step?.title}`;
  byId("lesson-text").textContent = step?.text;
}

function fill(name, options) {
  elements[name].replaceChildren(...options.map(([value, text]) => make("option", { value }, text ?? value)));
}

async function goTo(lesson) {
  await change({ lesson: String(lesson), ...LESSON[lesson - 1]?.settings });
  byId(lesson ? "lesson-heading" : "lesson-next").focus();
}

function begin(data = training.data) {
  pause();
  byId("problem").replaceChildren();
  const { layers, units, activation, rate, seed } = settings;
  training = new Training({ data, hidden: Array(+layers).fill(+units), activation, rate: +rate, seed: +seed });
  const stage = LESSON[settings.lesson - 1]?.stage ?? "forward";
  while (training.stage !== stage) training.advance();
  picture.build(training);
  show();
}

function act(action) {
  pause();
  action();
  show();
  speak();
}

function run() {
  let [last, shown] = [performance.now(), 0];
  let owed = 0; // stages
  const next = (now) => {
    frame = requestAnimationFrame(next);
    owed += Math.min(now - last, LONGEST_GAP) / 1000 * byId("speed").value;
    last = now;
    const end = performance.now() + LONGEST_WORK;
    for (; owed >= 1 && performance.now() < end && !training.hasDiverged; owed -= 1) training.advance();
    owed %= 1;
    if (now - shown >= (calm.matches ? CALM : 0)) {
      shown = now;
      show();
    }
    if (training.hasDiverged) pause();
  };
  frame = requestAnimationFrame(next);
  byId("run").textContent = "Pause";
}

function pause() {
  if (!frame) return;
  cancelAnimationFrame(frame);
  frame = 0;
  byId("run").textContent = "Run";
  show();
  speak();
}

function show() {
  const { data, pair, seen, hasDiverged, deadLayers } = training;
  allowTraining(!hasDiverged);
  if (hasDiverged && !byId("problem").firstChild) offerSmallerRate();
  showNeuron();
  byId("pair").replaceChildren(make("b", {}, pair.name), ` → ${data.truth(pair)}`);
  byId("stages").replaceChildren(...stageItems(training));
  byId("summary").textContent = summary();
  byId("dead").textContent = deadLayers.length
    ? `Hidden layer ${deadLayers[0]} is 0 for every pair, so it no longer learns. Reset with new random weights.` : "";
  const points = training.curve.filter(([, loss]) => Number.isFinite(loss));
  byId("curve").replaceChildren(curve({
    points, x: [0, Math.max(seen, 10)], y: [0, Math.max(...points.map(([, loss]) => loss))], dots: [points.at(-1)],
    label: `Curve of the mean loss, from ${number(points[0][1])} to ${number(points.at(-1)[1])}`, across: "steps", upward: "mean loss",
  }));
}

function allowTraining(isAllowed) {
  for (const id of ["advance", "one", "run"]) byId(id).disabled = !isAllowed;
}

function showNeuron() {
  if (!training) return;
  const [heading, ...parts] = workedOut(training, ...neuron);
  byId("neuron-heading").textContent = heading;
  byId("neuron").replaceChildren(...parts);
  picture.update(neuron, byId("lines").value === "gradients");
}

function summary() {
  const { data, outputs, meanLoss, seen } = training;
  return `After ${number(seen)} ${seen === 1 ? "step" : "steps"}: mean loss ${number(meanLoss, 4)}, ${data.score(outputs, data.pairs)}.`;
}

function speak() {
  byId("status").textContent = `${byId("stages").querySelector("[aria-current]").textContent} ${summary()}`;
}

function offerSmallerRate() {
  const smaller = RATES.findLast((rate) => rate <= training.rate / 10) ?? RATES[0];
  const onclick = async () => {
    await change({ rate: String(smaller) });
    byId("run").focus();
  };
  byId("problem").replaceChildren(
    make("p", {}, `The loss became infinite after ${number(training.seen)} steps. With a learning rate of ${
      training.rate}, each step lands farther from the lowest point.`),
    make("p", { className: "chips" }, make("button", { onclick }, `Reset with a learning rate of ${smaller}`)));
}

function listen() {
  const press = (id, action) => byId(id).addEventListener("click", action);
  byId("settings").addEventListener("submit", (event) => {
    event.preventDefault();
    change({ a: elements.a.value, b: elements.b.value });
  });
  byId("settings").addEventListener("change", ({ target: { name, value, type } }) => {
    if (type === "text") return; // the button uses both
    if (name !== "rate" || !training || training.hasDiverged) return change({ [name]: value });
    settings.rate = value;
    writeSettings(settings, "pushState");
    training.rate = +value;
    show();
  });
  press("advance", () => act(() => training.advance()));
  press("one", () => act(() => training.advanceToStep()));
  press("run", () => (frame ? pause() : run()));
  press("reset", () => (training ? begin() : load()));
  press("reseed", () => change({ seed: String(+settings.seed + 1) }));
  press("lesson-next", () => goTo(+settings.lesson + 1));
  press("lesson-back", () => goTo(settings.lesson - 1));
  press("lesson-end", () => goTo(0));
  byId("lines").addEventListener("change", showNeuron);
  addEventListener("popstate", () => {
    const { model } = settings;
    settings = readSettings();
    if (settings.model !== model) words = null;
    load();
  });
  service.addEventListener("state", ({ detail }) => {
    notify({ busy: "The service is busy; trying again.", offline: "The service cannot be reached." }[detail] ?? "");
  });
}

fill("layers", [..."0123"].map((count) => [count]));
fill("units", [..."12345678"].map((count) => [count]));
fill("rate", RATES.map((rate) => [rate]));
listen();
startSoftmax();
load();
