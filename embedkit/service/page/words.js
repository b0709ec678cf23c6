// The words of the vocabulary by their ids, fetched a few thousand at a time when they are needed.

import { get } from "./api.js";

const CHUNK = 5000;

export class Words {
  /** `loaded()` is called when words that were missing have come. */
  constructor(loaded) {
    this.loaded = loaded;
    this.chunks = new Map();
  }

  /** Return the word of an id, or null while it is being fetched. */
  get(id) {
    const number = Math.floor(id / CHUNK);
    if (!this.chunks.has(number)) this.fetch(number);
    return this.chunks.get(number)?.[id - number * CHUNK] ?? null;
  }

  async fetch(number) {
    this.chunks.set(number, null);
    try {
      const { words } = await get(`v1/words?from=${number * CHUNK}&limit=${CHUNK}`);
      this.chunks.set(number, words.map(({ word }) => word));
      this.loaded();
    } catch {
      setTimeout(() => this.chunks.delete(number), 2000); // asked again when next needed
    }
  }
}
