// The settings of the page in its address: a link reproduces the network.

import { LESSON } from "./lesson.js";

/** The learning rates to choose from. */
export const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** The choices of each setting; the first is the usual one. */
const CHOICES = {
  data: ["people", "words", "helpdesk"],
  group: [..."012", "typed"],
  inputs: ["scaled", "plane", "cues", "vector"],
  layers: [..."2013"],
  units: [..."31245678"],
  activation: ["relu", "tanh", "sigmoid"],
  rate: ["0.03", ...RATES.map(String)],
  lesson: [..."012345"],
  seed: ["8"], // or any whole number
  a: [""], // or any text
  b: [""],
  model: [""], // the first of the service, or a name
};
const usual = (name, lesson) => LESSON[lesson - 1]?.settings[name] ?? CHOICES[name][0];
const isFree = { seed: (text) => /^[1-9]\d{0,8}$/.test(text), a: Boolean, b: Boolean, model: Boolean };

/** Read the settings of the address. */
export function readSettings() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(Object.entries(CHOICES).map(([name, choices]) => {
    const value = given.get(name) ?? "";
    return [name, choices.includes(value) || isFree[name]?.(value) ? value : usual(name, given.get("lesson"))];
  }));
}

/** Write the settings into the address by a method of `history`. */
export function writeSettings(settings, method) {
  const changed = Object.entries(settings).filter(([name, value]) => value !== usual(name, settings.lesson));
  const hash = changed.length ? `#${new URLSearchParams(changed)}` : "";
  if (hash !== location.hash) history[method](null, "", hash || location.pathname);
}
