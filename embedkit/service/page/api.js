// Requests to the service: errors, the API key, and retries when it is busy or unreachable.

const RETRIES = 4;
const LONGEST_WAIT = 5; // seconds

/** An error of the service: `type`, `message`, `hint`, and further fields of some types. */
export class ServiceError extends Error {
  constructor(status, error) {
    super(error.message ?? `The service answered with status ${status}.`);
    Object.assign(this, { hint: "" }, error, { status });
  }
}

/**
 * Emits the event "state" with the detail "ok", "busy" or "offline", and "generation" when the
 * service has begun to answer from another model.
 */
export const service = new EventTarget();

let generation = 0; // of the model that answered last

/**
 * Note the generation of an answer; return whether it is from a model that has been replaced.
 *
 * For a moment some workers of the service still have the old model.
 */
function isOutdated(answer, isLastTry) {
  const given = Number(answer.headers.get("X-Embedkit-Generation"));
  if (!given || given === generation) return false;
  // A service that was restarted counts from 1 again.
  if (given < generation && !isLastTry) return true;
  const isFirst = generation === 0;
  generation = given;
  if (!isFirst) service.dispatchEvent(new CustomEvent("generation", { detail: given }));
  return false;
}

function report(state) {
  service.dispatchEvent(new CustomEvent("state", { detail: state }));
}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

let asking = null;

/** Ask for the key in a dialog, once for all requests that wait for it. */
function askForKey(rejected) {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key-dialog");
    const field = document.getElementById("key");
    if (rejected) {
      document.getElementById("key-problem").textContent = "That key was not accepted. Try another one.";
    }
    field.value = "";
    dialog.addEventListener("close", () => {
      asking = null;
      sessionStorage.setItem("key", field.value);
      resolve();
    }, { once: true });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.showModal();
  });
  return asking;
}

async function fetchOrReport(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name !== "AbortError") report("offline");
    throw error;
  }
}

async function send(path, { signal, ...options } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const key = sessionStorage.getItem("key");
    const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
    const answer = await fetchOrReport(path, { ...options, headers, signal });
    if (isOutdated(answer, attempt >= RETRIES)) {
      await wait(attempt / 2);
      signal?.throwIfAborted();
      continue;
    }
    if (answer.ok) {
      report("ok");
      return answer;
    }
    if (answer.status === 401) {
      // Another request may have got a new key in the meantime.
      if (key === sessionStorage.getItem("key")) await askForKey(key !== null);
      continue;
    }
    if ([429, 503].includes(answer.status) && attempt < RETRIES) {
      report("busy");
      await wait(Math.min(Number(answer.headers.get("Retry-After")) || attempt, LONGEST_WAIT));
      signal?.throwIfAborted();
      continue;
    }
    const body = await answer.json().catch(() => ({}));
    throw new ServiceError(answer.status, body.error ?? {});
  }
}

export async function get(path, signal) {
  return (await send(path, { signal })).json();
}

export async function getFloats(path) {
  const bytes = await (await send(path)).arrayBuffer();
  return new Float32Array(bytes);
}

export async function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return (await send(path, { method: "POST", headers, body: JSON.stringify(body), signal })).json();
}

/** Return a function that returns a new abort signal and aborts the previous one. */
export function latest() {
  let controller = null;
  return () => {
    controller?.abort();
    controller = new AbortController();
    return controller.signal;
  };
}
