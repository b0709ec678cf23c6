"""Subwords and CBOW beside gensim and fastText.

scripts/bench_peers.py is not run itself: scripts/bench uses it.

Every training run is in its own process. Speeds are those of the training passes alone, as each
tool measures or reports them. All vectors are scored by the same code.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarking import Report, task

__all__ = ["HELD_OUT", "compare_peers"]

TOOLS = ("embedkit", "gensim", "fasttext")
HELD_OUT = {"number": 500, "least": 20, "most": 60, "pattern": "[!-~]{6,}"}
"""The words of English to hold out of a text: see `hold_out` in bench_peer_tasks.py."""


def _settings(options: argparse.Namespace, tool: str) -> dict[str, Any]:
    """Return the settings of a tool, by their names in embedkit: its own defaults.

    All have the same dimension, window, vocabulary, subsampling, epochs and threads.
    """
    from embedkit.encoders import ENCODERS
    from embedkit.training.config import LEARNING_RATES

    subword = options.encoder == "subword"
    settings = {
        "encoder": options.encoder, "architecture": options.architecture, "window": 5,
        "dimension": options.dimension, "min_count": 5, "sample": options.sample,
        "epochs": options.epochs, "workers": options.workers, "seed": options.seed,
        "negative": 5, "learning_rate": options.learning_rate or 0.05,
    }  # fmt: skip
    if subword:
        settings |= {"min_ngram": 3, "max_ngram": 6, "buckets": 2_000_000}
    if tool == "embedkit":
        defaults = ENCODERS[options.encoder]().get_params()
        names = ("negative", "min_ngram", "max_ngram", "buckets")
        settings |= {name: defaults[name] for name in names if name in defaults}
        if options.negative is not None:
            settings["negative"] = options.negative
        if subword and options.max_ngram is not None:
            settings["max_ngram"] = options.max_ngram
        if options.learning_rate is None:
            settings["learning_rate"] = LEARNING_RATES[options.architecture, subword]
    elif options.encoder == "skipgram":
        settings |= {"min_ngram": 0, "max_ngram": 0, "buckets": 0}
    return settings


def compare_peers(options: argparse.Namespace, folder: Path) -> None:
    """Train in turns, score the vectors of the first round, and print a table."""
    rows: dict[str, list[dict[str, Any]]] = {tool: [] for tool in TOOLS}
    for number in range(options.repeat):
        for tool in TOOLS:
            output = folder / f"{tool}{number}.npz"
            settings = json.dumps(_settings(options, tool))
            rows[tool].append(task("peer-train", tool, options.corpus, output, settings))
    scores = {
        tool: task("quality", folder / f"{tool}0.npz", options.analogies or "-",
                   options.similarity or "-")
        for tool in TOOLS
    }  # fmt: skip
    if options.rare:
        for tool, figures in _rare_words(options, folder).items():
            scores[tool] |= figures
    report = Report(
        options,
        f"{options.encoder}, {options.architecture}, d={options.dimension}, sample "
        f"{options.sample:g}, {options.epochs} epochs, {options.workers} workers, median of "
        f"{options.repeat}",
    )
    report.results |= {"training": rows, "scores": scores}
    report.table(
        "table",
        {
            "tool": ("tool", ""), "speed": ("words/s", ",.0f"), "ratio": ("embedkit / tool", ".1f"),
            "memory": ("peak MB", ",.0f"), "analogies": ("analogies", ".3f"),
            "similarity": ("similarity", ".3f"),
            "rare_recall": ("held-out words, recall at 100", ".3f"),
            "rare_median_rank": ("median rank", ",.0f"),
        },
    )  # fmt: skip
    for tool in TOOLS:
        pairs = zip(rows["embedkit"], rows[tool], strict=True)
        report.row(
            tool=tool,
            speed=statistics.median(row["words_per_second"] for row in rows[tool]),
            ratio=statistics.median(
                a["words_per_second"] / b["words_per_second"] for a, b in pairs
            ),
            memory=statistics.median(row["peak_mb"] for row in rows[tool]),
            **{key: value for key, value in scores[tool].items() if key != "peak_mb"},
        )
    report.finish()


def _rare_words(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """Hold words out of the text, train on the rest, and score the vectors composed for them.

    The true neighbors are those in plain skip-gram vectors of the full text, for all tools.
    """
    rest, words = folder / "rest.txt", folder / "held.txt"
    task("hold-out", options.corpus, rest, words, json.dumps({**HELD_OUT, "seed": options.seed}))
    plain = _settings(argparse.Namespace(**{**vars(options), "encoder": "skipgram"}), "embedkit")
    full = folder / "full.npz"
    task("peer-train", "embedkit", options.corpus, full, json.dumps(plain))
    found = {}
    for tool in TOOLS:
        settings = json.dumps({**_settings(options, tool), "held": str(words)})
        reduced = folder / f"{tool}-rest.npz"
        task("peer-train", tool, rest, reduced, settings)
        found[tool] = task("rare-words", full, reduced)
    return found
