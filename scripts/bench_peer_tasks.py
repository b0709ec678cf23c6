"""The tasks of bench_tasks.py that train with several tools and score words held out of a text.

scripts/bench_peer_tasks.py is not run itself: bench_tasks.py adds its tasks to its own.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["PEER_TASKS"]


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
    if vectors.subwords is not None:
        composed = vectors.subwords.encode(held)
    else:
        nearest = np.array(vectors.vocabulary.nearest_spellings(held), dtype=np.int64)
        composed = np.where((nearest >= 0)[:, None], vectors.matrix[nearest], np.float32(0))
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


def hold_out(corpus: str, output: str, words: str, choice: str) -> dict[str, Any]:
    """Choose words of medium frequency, and write the lines of a text without any of them.

    Args:
        corpus: the text, one sentence or paragraph per line.
        output: the lines that are left.
        words: where to write the words.
        choice: how many words ("number"), the "seed" of the choice, the "least" and "most" times
            that they occur, and a regular expression that they match ("pattern").
    """
    wanted = json.loads(choice)
    pattern, least, most = re.compile(wanted["pattern"]), wanted["least"], wanted["most"]
    with Path(corpus).open() as file:
        counts = Counter(word for line in file for word in line.split())
    medium = sorted(w for w, n in counts.items() if least <= n <= most and pattern.fullmatch(w))
    if not medium:
        sys.exit(f"{corpus} has no suitable word that occurs {least} to {most} times.")
    chosen = random.Random(wanted["seed"]).sample(medium, min(wanted["number"], len(medium)))
    Path(words).write_text("\n".join(chosen))
    held = set(chosen)
    with Path(corpus).open() as file, Path(output).open("w") as rest:
        rest.writelines(line for line in file if held.isdisjoint(line.split()))
    return {"held": len(chosen)}


def rare_words(full: str, reduced: str, stemmer: str = "-") -> dict[str, Any]:
    """Return how near the composed vectors of held-out words are to their true neighbors.

    The true neighbors of a word are the 10 nearest in vectors of the full text. Their ranks are
    those among the neighbors of the composed vector, in vectors of the text without the word.

    Args:
        full: vectors of the full text.
        reduced: vectors of the text without the words; theirs are in a file beside it.
        stemmer: a language of snowballstemmer. Adds the share of words whose nearest neighbor is
            another form of the same stem, among those for which the text has one.
    """
    trained, rest, held = (np.load(path) for path in (full, reduced, reduced + ".held.npz"))
    places = {word: row for row, word in enumerate(trained["words"].tolist())}
    others = {word: row for row, word in enumerate(rest["words"].tolist())}
    shared = [word for word in places if word in others]
    truth = _units(trained["vectors"])
    first = truth[[places[word] for word in shared]]
    second = _units(rest["vectors"][[others[word] for word in shared]])
    ranks, nearest = [], []
    words = [word for word in held["words"].tolist() if word in places]
    composed = dict(zip(held["words"].tolist(), _units(held["vectors"]), strict=True))
    for word in words:
        near = np.argsort(-(first @ truth[places[word]]))[:10]
        order = np.empty(len(shared), dtype=np.int64)
        by_similarity = np.argsort(-(second @ composed[word]), kind="stable")
        order[by_similarity] = np.arange(len(shared))
        ranks.append(order[near])
        nearest.append(shared[by_similarity[0]] if composed[word].any() else "")
    found = np.array(ranks)
    figures = {
        "rare_recall": float((found < 100).mean()),
        "rare_median_rank": float(np.median(found)),
        "rare_words": len(found),
    }
    return figures if stemmer == "-" else figures | _stems(words, nearest, shared, stemmer)


def _stems(words: list[str], nearest: list[str], known: list[str], stemmer: str) -> dict[str, Any]:
    from snowballstemmer import stemmer as make

    stem = make(stemmer).stemWord
    stems = {stem(word) for word in known}
    same = [
        stem(word) == stem(other)
        for word, other in zip(words, nearest, strict=True)
        if stem(word) in stems
    ]
    return {"same_stem": float(np.mean(same)) if same else None, "inflected": len(same)}


def store(model: str, output: str, storage: str, kept: str) -> dict[str, Any]:
    """Store a model with n-grams in another way; return the bytes that it takes.

    Args:
        model: a model directory.
        output: the model directory to write.
        storage: "float32" or "int8".
        kept: how many rows of n-grams to keep; 0 for all.
    """
    import embedkit
    from embedkit.vectors.postprocess import Steps, postprocess

    steps = Steps(prune_ngrams=int(kept) or None, storage=storage)
    changed = postprocess(embedkit.load(model), steps)
    changed.save(output, storage=storage)
    tensors = changed.subwords.packed(storage).tensors
    return {
        "rows": len(changed.subwords.rows),
        "ngram_mb": sum(tensor.nbytes for tensor in tensors.values()) / 1e6,
        "model_mb": sum(file.stat().st_size for file in Path(output).iterdir()) / 1e6,
    }


def compose(model: str, output: str, held: str) -> dict[str, Any]:
    """Save the vectors of a model, and those it composes for the words in a file."""
    import embedkit

    vectors, words = embedkit.load(model), Path(held).read_text().split()
    np.savez(output, words=np.array([*vectors]), vectors=vectors.matrix)
    np.savez(output + ".held", words=np.array(words), vectors=vectors.subwords.encode(words))
    return {"words": len(words)}


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


PEER_TASKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "compose": compose,
    "hold-out": hold_out,
    "peer-train": peer_train,
    "rare-words": rare_words,
    "store": store,
}
