"""The tasks that scripts/bench measures, each in its own process.

    scripts/bench_tasks.py TASK [ARGUMENT ...]

The last line of the output is a JSON object with the figures and the peak memory of the process.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray


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
    from embedkit import Corpus, SkipGramEncoder

    encoder = SkipGramEncoder(**json.loads(settings)).fit(Corpus.read(corpus))
    encoder.save(output, overwrite=True)
    report = encoder.report
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


def peer_train(tool: str, corpus: str, output: str, settings: str) -> dict[str, Any]:
    """Train with a tool; save words, vectors, and the vectors that it gives to other words.

    *settings* are those of embedkit's encoder, and "encoder" and "held", a file of other words.
    """
    given = json.loads(settings)
    held = Path(given.pop("held")).read_text().split() if given.get("held") else []
    words, vectors, composed, speed = _PEERS[tool](corpus, given, held)
    np.savez(output, words=np.array(words), vectors=vectors)
    if held:
        np.savez(output + ".held", words=np.array(held), vectors=composed)
    return {"words_per_second": speed}


Trained: TypeAlias = "tuple[list[str], NDArray[np.float32], NDArray[np.float32], float]"
"""Words, their vectors, the vectors of other words, and the words per second of training."""


def _train_embedkit(corpus: str, given: dict[str, Any], held: list[str]) -> Trained:
    from embedkit import Corpus
    from embedkit.encoders import ENCODERS

    encoder = ENCODERS[given.pop("encoder")](**given).fit(Corpus.read(corpus))
    vectors = encoder.vectors()
    composed = vectors.subwords.encode(held) if held else vectors.matrix[:0]
    return [*vectors], vectors.matrix, composed, vectors.config["training"]["tokens_per_second"]


def _train_gensim(corpus: str, given: dict[str, Any], held: list[str]) -> Trained:
    from gensim.models import FastText, Word2Vec

    subword = given["encoder"] == "subword"
    ngrams = {"min_n": given["min_ngram"], "max_n": given["max_ngram"], "bucket": given["buckets"]}
    model = (FastText if subword else Word2Vec)(
        sg=given["architecture"] == "skipgram", vector_size=given["dimension"],
        window=given["window"], negative=given["negative"], min_count=given["min_count"],
        sample=given["sample"], alpha=given["learning_rate"], workers=given["workers"],
        seed=given["seed"], **(ngrams if subword else {}),
    )  # fmt: skip
    model.build_vocab(corpus_file=corpus)
    start = time.perf_counter()
    model.train(corpus_file=corpus, total_words=model.corpus_total_words, epochs=given["epochs"])
    seconds = time.perf_counter() - start
    composed = np.array([model.wv[word] for word in held])
    speed = model.corpus_total_words * given["epochs"] / seconds
    return model.wv.index_to_key, model.wv.vectors, composed, speed


def _train_fasttext(corpus: str, given: dict[str, Any], held: list[str]) -> Trained:
    import fasttext

    subword = given["encoder"] == "subword"
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)  # fastText prints its speed, and returns nothing
        try:
            model = fasttext.train_unsupervised(
                corpus, model=given["architecture"], dim=given["dimension"], ws=given["window"],
                neg=given["negative"], minCount=given["min_count"], t=given["sample"],
                lr=given["learning_rate"], epoch=given["epochs"], thread=given["workers"],
                minn=given["min_ngram"] if subword else 0,
                maxn=given["max_ngram"] if subword else 0,
                bucket=given["buckets"] if subword else 0, verbose=2,
            )  # fmt: skip
        finally:
            os.dup2(kept, 2)
        log.seek(0)
        speeds = re.findall(rb"words/sec/thread:\s*(\d+)", log.read())
    vectors = np.array([model.get_word_vector(word) for word in model.words])
    composed = np.array([model.get_word_vector(word) for word in held])
    return model.words, vectors, composed, int(speeds[-1]) * given["workers"]


_PEERS: Mapping[str, Callable[[str, dict[str, Any], list[str]], Trained]] = {
    "embedkit": _train_embedkit,
    "gensim": _train_gensim,
    "fasttext": _train_fasttext,
}


def hold_out(corpus: str, output: str, words: str, number: str, seed: str) -> dict[str, Any]:
    """Choose words of medium frequency, and write the lines of a text without any of them.

    Args:
        corpus: the text, one sentence or paragraph per line.
        output: the lines that are left.
        words: where to write the words.
        number: how many words.
        seed: of the choice.
    """
    from collections import Counter

    with Path(corpus).open() as file:
        counts = Counter(word for line in file for word in line.split())
    medium = sorted(w for w, n in counts.items() if 20 <= n <= 60 and len(w) >= 6 and w.isascii())
    if not medium:
        sys.exit(f"{corpus} has no word of at least 6 letters that occurs 20 to 60 times.")
    chosen = random.Random(int(seed)).sample(medium, min(int(number), len(medium)))
    Path(words).write_text("\n".join(chosen))
    held = set(chosen)
    with Path(corpus).open() as file, Path(output).open("w") as rest:
        rest.writelines(line for line in file if held.isdisjoint(line.split()))
    return {"held": len(chosen)}


def rare_words(full: str, reduced: str) -> dict[str, Any]:
    """Return how near the composed vectors of held-out words are to their true neighbors.

    The true neighbors of a word are the 10 nearest in vectors of the full text. Their ranks are
    those among the neighbors of the composed vector, in vectors of the text without the word.
    """
    trained, rest, held = (np.load(path) for path in (full, reduced, reduced + ".held.npz"))
    shared = [w for w in trained["words"].tolist() if w in set(rest["words"].tolist())]
    places = {word: row for row, word in enumerate(trained["words"].tolist())}
    others = {word: row for row, word in enumerate(rest["words"].tolist())}
    truth = _units(trained["vectors"])
    first = truth[[places[word] for word in shared]]
    second = _units(rest["vectors"][[others[word] for word in shared]])
    ranks = []
    for word, vector in zip(held["words"].tolist(), _units(held["vectors"]), strict=True):
        if word in places:
            near = np.argsort(-(first @ truth[places[word]]))[:10]
            order = np.empty(len(shared), dtype=np.int64)
            order[np.argsort(-(second @ vector))] = np.arange(len(shared))
            ranks.append(order[near])
    found = np.array(ranks)
    return {
        "rare_recall": float((found < 100).mean()),
        "rare_median_rank": float(np.median(found)),
        "rare_words": len(found),
    }


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


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
    "hold-out": hold_out,
    "peer-train": peer_train,
    "quality": quality,
    "rare-words": rare_words,
    "words": words,
}

if __name__ == "__main__":
    report = TASKS[sys.argv[1]](*sys.argv[2:])
    report["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(report))
