// The answers as CSV, the map as PNG or SVG, and the question as a command or a program.

import { copy } from "./controls.js";
import { byId, make } from "./shared/dom.js";
import { asPng, asSvg } from "./map-picture.js";

/** Connect the buttons; `current()` returns {question: {expression, k, metric}, answers, map}. */
export function listenToExport(current) {
  const actions = {
    "export-png": async () => save("map.png", await asPng(current().map)),
    "export-svg": () => save("map.svg", new Blob([asSvg(current().map)], { type: "image/svg+xml" })),
    "export-csv": () => save("answers.csv", new Blob([asCsv(current().answers)], { type: "text/csv" })),
    "copy-curl": (button) => copy(asCurl(current().question), button),
    "copy-python": (button) => copy(asPython(current().question), button),
  };
  for (const [id, act] of Object.entries(actions)) {
    byId(id).addEventListener("click", ({ target }) => act(target));
  }
}

/** Offer the answers and the question only while they belong together. */
export function allowExport(isAllowed) {
  for (const id of ["export-csv", "copy-curl", "copy-python"]) byId(id).disabled = !isAllowed;
}

function save(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Return answers as the lines of a CSV file. */
export function asCsv(answers) {
  // Spreadsheets would run a cell that begins with one of these as a formula.
  const safe = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = answers.map(({ word, score }, place) => `${place + 1},${quoted(safe(word))},${score}`);
  return `${["rank,word,score", ...lines].join("\r\n")}\r\n`;
}

function address() {
  return new URL("v1/query", location.href).href;
}

function hasKey() {
  return sessionStorage.getItem("key") !== null;
}

function asCurl(question) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = hasKey() ? ` -H "Authorization: Bearer $EMBEDKIT_API_KEY"` : "";
  const body = quoted(JSON.stringify(question));
  return `curl ${quoted(address())} -H 'Content-Type: application/json'${key} -d ${body}`;
}

/** Return a program that needs only Python's standard library. */
function asPython(question) {
  const headers = ['"Content-Type": "application/json"',
    ...(hasKey() ? ['"Authorization": "Bearer " + os.environ["EMBEDKIT_API_KEY"]'] : [])];
  return [
    hasKey() ? "import json, os" : "import json",
    "from urllib.request import Request, urlopen",
    "",
    // A string in JSON is a string in Python, and the numbers are whole.
    `question = ${JSON.stringify(question)}`,
    `headers = {${headers.join(", ")}}`,
    `request = Request(${JSON.stringify(address())}, json.dumps(question).encode(), headers)`,
    "with urlopen(request) as response:",
    '    for answer in json.load(response)["answers"]:',
    '        print(answer["word"], answer["score"])',
    "",
  ].join("\n");
}
