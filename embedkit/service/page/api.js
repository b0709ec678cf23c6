// Requests to the service: errors, the API key, and retries when it is busy or unreachable.

import { askKey } from "./notices.js";

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

let chosen = ""; // the name of the model that is asked; "" for the first of the service
const generations = new Map(); // of each model, in its last answer

/** Ask the model with this name from now on; "" is the first model of the service. */
export function useModel(name) {
  chosen = name;
}

/** Return the part of a link that makes a page use a model. */
export function linkTo(name) {
  return name && `#${new URLSearchParams({ model: name })}`;
}

/** Return the body of a request, or of a batch, with the name of the model. */
function withModel(body) {
  if (Array.isArray(body)) return body.map(withModel);
  return chosen && body.model === undefined ? { ...body, model: chosen } : body;
}

/**
 * Note the generation of an answer; return whether it is from a model that has been replaced.
 *
 * For a moment some workers of the service still have the old model.
 */
function isOutdated(answer, model, isLastTry) {
  const given = Number(answer.headers.get("X-Embedkit-Generation"));
  const before = generations.get(model);
  if (!given || given === before) return false;
  // A service that was restarted counts from 1 again.
  if (given < before && !isLastTry) return true;
  generations.set(model, given);
  if (before) service.dispatchEvent(new CustomEvent("generation", { detail: model }));
  return false;
}

function report(state) {
  service.dispatchEvent(new CustomEvent("state", { detail: state }));
}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

let asking = null;

/** Ask for the key, once for all requests that wait for it. */
function askForKey(isRejected) {
  asking ??= askKey(isRejected).then((key) => {
    asking = null;
    sessionStorage.setItem("key", key);
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

async function send(path, { signal, model = chosen, ...options } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const key = sessionStorage.getItem("key");
    const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
    const answer = await fetchOrReport(path, { ...options, headers, signal });
    if (isOutdated(answer, model, attempt >= RETRIES)) {
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

function forModel(path) {
  return chosen ? `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams({ model: chosen })}` : path;
}

export async function get(path, signal) {
  return (await send(forModel(path), { signal })).json();
}

export async function getFloats(path) {
  const bytes = await (await send(forModel(path))).arrayBuffer();
  return new Float32Array(bytes);
}

export async function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const model = body.model ?? chosen;
  const sent = JSON.stringify(withModel(body));
  return (await send(path, { method: "POST", headers, body: sent, signal, model })).json();
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
