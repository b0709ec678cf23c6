// The words of the vocabulary by id, fetched on demand, a few thousand at a time.

import { get } from "./api.js";

const CHUNK = 5000;
const RETRY_DELAY = 2000; // milliseconds

export class Words {
  /** `loaded()` is called when more words have been fetched. */
  constructor(loaded) {
    this.loaded = loaded;
    this.chunks = new Map();
    this.pending = new Map();
  }

  /** Forget all words: the service has another model. */
  clear() {
    this.chunks.clear();
    this.pending = new Map();
  }

  /** Return the first `count` words, or all of them if there are fewer. */
  async first(count) {
    const numbers = Array.from({ length: Math.ceil(count / CHUNK) }, (_, number) => number);
    for (const number of numbers) {
      await this.fetch(number);
      if ((this.chunks.get(number)?.length ?? 0) < CHUNK) break;
    }
    return numbers.flatMap((number) => this.chunks.get(number) ?? []).slice(0, count);
  }

  /** Return the word of an id, or null while it is being fetched. */
  get(id) {
    const number = Math.floor(id / CHUNK);
    const chunk = this.chunks.get(number);
    if (!chunk) this.fetch(number);
    return chunk?.[id - number * CHUNK] ?? null;
  }

  /** Fetch the word of an id; return null if it cannot be fetched. */
  async find(id) {
    await this.fetch(Math.floor(id / CHUNK));
    return this.get(id);
  }

  fetch(number) {
    if (!this.pending.has(number)) this.pending.set(number, this.load(number));
    return this.pending.get(number);
  }

  async load(number) {
    const { pending } = this; // of the present model
    try {
      const { words } = await get(`v1/words?from=${number * CHUNK}&limit=${CHUNK}`);
      if (pending !== this.pending) return;
      this.chunks.set(number, words.map(({ word }) => word));
      this.loaded();
    } catch {
      setTimeout(() => pending.delete(number), RETRY_DELAY);
    }
  }
}
