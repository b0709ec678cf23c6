#!/usr/bin/env python3
"""The tasks that scripts/bench measures, each in its own process.

    scripts/bench_tasks.py TASK [ARGUMENT ...]

The last line of the output is a JSON object with the figures and the peak memory of the process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bench_peer_tasks import PEER_TASKS


def embedkit_read(corpus: str) -> dict[str, Any]:
    from embedkit.corpus.corpus import Corpus

    start = time.perf_counter()
    tokens = len(Corpus.read(corpus).tokens)
    return {"seconds": time.perf_counter() - start, "tokens": tokens}


def gensim_read(corpus: str) -> dict[str, Any]:
    from gensim.models import Word2Vec

    model = Word2Vec(min_count=5)
    start = time.perf_counter()
    model.build_vocab(corpus_file=corpus)
    return {"seconds": time.perf_counter() - start}


def embedkit_compile(cache: str) -> dict[str, Any]:
    """Compile the kernel without using a cache of compiled code."""
    os.environ["NUMBA_CACHE_DIR"] = cache
    return {"compile_seconds": embedkit_load()["seconds"]}


def embedkit_load() -> dict[str, Any]:
    start = time.perf_counter()
    from embedkit.training.kernels import cpu
    from embedkit.training.kernels.layout import PLAIN

    cpu.prepare(PLAIN)

    return {"seconds": time.perf_counter() - start}


def embedkit_train(corpus: str, output: str, settings: str) -> dict[str, Any]:
    """Train and save an encoder; *settings* are its own, and "encoder", by default skipgram."""
    from embedkit import Corpus, SkipGramEncoder, SubwordEncoder

    given = json.loads(settings)
    made = SubwordEncoder if given.pop("encoder", "skipgram") == "subword" else SkipGramEncoder
    encoder = made(**given)
    report = encoder.fit(Corpus.read(corpus)).report
    encoder.save(output, overwrite=True)
    return {"words_per_second": report["tokens_per_second"], "loss": report["loss"]}


def embedkit_train_copies(corpus: str, copies: str) -> dict[str, Any]:
    """Train for one epoch on several copies of the same text."""
    from embedkit import Corpus, SkipGramEncoder

    # min_count grows with the number of copies, so that the vocabulary stays the same.
    encoder = SkipGramEncoder(epochs=1, min_count=5 * int(copies))
    encoder.fit(Corpus.read([corpus] * int(copies)))
    return {"tokens": encoder.report["tokens"]}


def gensim_train(corpus: str, output: str, settings: str) -> dict[str, Any]:
    from gensim.models import Word2Vec

    given = json.loads(settings)
    model = Word2Vec(
        sg=1, vector_size=given["dimension"], window=given["window"], negative=given["negative"],
        min_count=given["min_count"], sample=given["sample"], alpha=given["learning_rate"],
        workers=given["workers"], seed=given["seed"],
    )  # fmt: skip
    model.build_vocab(corpus_file=corpus)
    start = time.perf_counter()
    model.train(corpus_file=corpus, total_words=model.corpus_total_words, epochs=given["epochs"])
    seconds = time.perf_counter() - start
    model.wv.save_word2vec_format(output, binary=True)
    return {"words_per_second": model.corpus_total_words * given["epochs"] / seconds}


def quality(model: str, analogies: str, similarity: str) -> dict[str, Any]:
    """Score the vectors of either library with the same code."""
    import embedkit
    from embedkit.evaluation import analogy_accuracy, word_similarity

    if Path(model).is_dir() or model.endswith(".npz"):
        vectors = embedkit.load(model)
    else:
        from gensim.models import KeyedVectors

        theirs = KeyedVectors.load_word2vec_format(model, binary=True)
        vectors = embedkit.WordVectors(embedkit.Vocabulary(theirs.index_to_key), theirs.vectors)
    scores: dict[str, Any] = {}
    if analogies != "-":
        scores["analogies"] = analogy_accuracy(vectors, analogies, restrict=30_000).accuracy
    if similarity != "-":
        scores["similarity"] = word_similarity(vectors, similarity).spearman
    return scores


def words(model: str) -> dict[str, Any]:
    """Choose three words for a question: the usual ones if known, otherwise some frequent ones."""
    import embedkit

    known = embedkit.load(model).vocabulary
    usual = ["paris", "france", "italy"]
    others = known.words(range(len(known) // 10, len(known) // 10 + 3))
    return {"words": usual if all(word in known for word in usual) else others}


def gensim_ask(model: str, a: str, b: str, c: str) -> dict[str, Any]:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors.load_word2vec_format(model, binary=True)
    return {"answer": vectors.most_similar(positive=[a, c], negative=[b])[0][0]}


def ceiling(model: str, sample: str) -> dict[str, Any]:
    """Measure the speed of matrix products and copies, and a model's share of kept tokens."""
    import embedkit
    from embedkit.training.sampling import keep_probabilities

    def best(work: Any) -> float:
        times = []
        for _ in range(6):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times)

    square = np.random.default_rng(1).random((2048, 2048), dtype=np.float32)
    source = np.zeros(1 << 28, dtype=np.uint8)
    target = np.ones_like(source)
    found = embedkit.load(model)
    counts = found.vocabulary.counts
    kept = keep_probabilities(counts, int(counts.sum()), float(sample)) * counts
    return {
        "gflop_s": 2 * 2048**3 / best(lambda: square @ square) / 1e9,
        "copy_gb_s": 2 * len(source) / best(lambda: np.copyto(target, source)) / 1e9,
        "kept_share": float(kept.sum()) / found.config["training"]["tokens"],
    }


TASKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "ceiling": ceiling,
    "embedkit-compile": embedkit_compile,
    "embedkit-load": embedkit_load,
    "embedkit-read": embedkit_read,
    "embedkit-train": embedkit_train,
    "embedkit-train-copies": embedkit_train_copies,
    "gensim-ask": gensim_ask,
    "gensim-read": gensim_read,
    "gensim-train": gensim_train,
    "quality": quality,
    "words": words,
    **PEER_TASKS,
}

if __name__ == "__main__":
    report = TASKS[sys.argv[1]](*sys.argv[2:])
    report["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(report))
