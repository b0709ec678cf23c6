// The settings of the page, in the address: a link reproduces the network.

export const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const CHOICES = {
  data: ["people", "words", "helpdesk"],
  group: ["0", "1", "2", "3", "typed"],
  inputs: ["scaled", "plane", "cues", "vector"],
  layers: ["2", "0", "1", "3"],
  units: ["3", "1", "2", "4", "5", "6", "7", "8"],
  activation: ["relu", "tanh", "sigmoid"],
  rate: ["0.03", ...RATES.map(String)],
};
const TEXTS = ["a", "b"];
const LONGEST_TEXT = 1000;

/** Read the settings of the address; the first choice replaces what is missing or unknown. */
export function readSettings() {
  const given = new URLSearchParams(location.hash.slice(1));
  const settings = {};
  for (const [name, choices] of Object.entries(CHOICES)) {
    settings[name] = choices.includes(given.get(name)) ? given.get(name) : choices[0];
  }
  for (const name of TEXTS) settings[name] = (given.get(name) ?? "").slice(0, LONGEST_TEXT);
  const seed = Number(given.get("seed"));
  settings.seed = Number.isInteger(seed) && seed > 0 && seed < 2 ** 31 ? seed : 1;
  const lesson = Number(given.get("lesson"));
  settings.lesson = Number.isInteger(lesson) && lesson >= 1 && lesson <= 5 ? lesson : 0;
  return settings;
}

/** Write the settings into the address; a new entry of the history if `isStep`. */
export function writeSettings(settings, isStep) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) {
    const usual = CHOICES[name]?.[0] ?? { seed: 1, lesson: 0 }[name] ?? "";
    if (value !== usual) parameters.set(name, value);
  }
  const hash = parameters.size ? `#${parameters}` : "";
  if (hash === location.hash) return;
  history[isStep ? "pushState" : "replaceState"](null, "", hash || location.pathname);
}
