// The service: requests, its errors, the key, and what to do when it is busy or out of reach.

const RETRIES = 4;
const LONGEST_WAIT = 5;

/** What the service says is wrong: `type`, `message`, `hint` and what else the type carries. */
export class ServiceError extends Error {
  constructor(status, error) {
    super(error.message ?? `The service answered with status ${status}.`);
    Object.assign(this, { hint: "" }, error, { status });
  }
}

/** Tells, by events, whether the service can be reached: "well", "busy", "offline". */
export const service = new EventTarget();

function tell(state) {
  service.dispatchEvent(new CustomEvent("state", { detail: state }));
}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

let asking = null;

/** Ask for the key in a dialog; requests that are refused together ask once. */
function askForKey(refused) {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key-dialog");
    const field = document.getElementById("key");
    if (refused) {
      document.getElementById("key-problem").textContent = "That key was refused. Another one?";
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

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name !== "AbortError") tell("offline");
    throw error;
  }
}

async function send(path, { signal, ...options } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const key = sessionStorage.getItem("key");
    const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
    const answer = await reach(path, { ...options, headers, signal });
    if (answer.ok) {
      tell("well");
      return answer;
    }
    if (answer.status === 401) {
      // Another request may have brought a new key meanwhile.
      if (key === sessionStorage.getItem("key")) await askForKey(key !== null);
      continue;
    }
    if ([429, 503].includes(answer.status) && attempt < RETRIES) {
      tell("busy");
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

/** Return a function that gives a new signal and aborts the one it gave before. */
export function latest() {
  let controller = null;
  return () => {
    controller?.abort();
    controller = new AbortController();
    return controller.signal;
  };
}
