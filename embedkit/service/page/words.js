// The words of the vocabulary by their ids, fetched a few thousand at a time when they are needed.

import { get } from "./api.js";

const CHUNK = 5000;
const REST = 2000; // milliseconds before what failed is asked again

export class Words {
  /** `loaded()` is called when words that were missing have come. */
  constructor(loaded) {
    this.loaded = loaded;
    this.chunks = new Map();
    this.coming = new Map();
  }

  /** Return the word of an id, or null while it is being fetched. */
  get(id) {
    const number = Math.floor(id / CHUNK);
    const chunk = this.chunks.get(number);
    if (!chunk) this.fetch(number);
    return chunk?.[id - number * CHUNK] ?? null;
  }

  /** Return the word of an id when it has come; null if it cannot be had. */
  async find(id) {
    await this.fetch(Math.floor(id / CHUNK));
    return this.get(id);
  }

  fetch(number) {
    if (!this.coming.has(number)) this.coming.set(number, this.load(number));
    return this.coming.get(number);
  }

  async load(number) {
    try {
      const { words } = await get(`v1/words?from=${number * CHUNK}&limit=${CHUNK}`);
      this.chunks.set(number, words.map(({ word }) => word));
      this.loaded();
    } catch {
      setTimeout(() => this.coming.delete(number), REST);
    }
  }
}
