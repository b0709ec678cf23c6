// Which words the model has in its vocabulary.

import { post } from "./api.js";

/** Return the Set of those words that are in the vocabulary; words that could be composed are not. */
export async function knownWords(words) {
  const different = [...new Set(words)];
  const found = await post("v1/distance", different.map((word) => ({ words: [word], oov: "skip" })));
  return new Set(different.filter((_, place) => found[place].words?.length === 1));
}
