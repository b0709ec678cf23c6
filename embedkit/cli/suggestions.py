"""Suggestions for mistyped options and commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import click

__all__ = ["suggest_command", "suggest_option"]

_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "--dimension": ("size", "vector-size", "vec-size", "dim", "dimensions", "embedding-dim"),
    "--epochs": ("iter", "iterations", "epoch", "n-epochs"),
    "-k": ("n", "topn", "top-n", "top-k", "top", "limit", "count"),
    "--learning-rate": ("alpha", "lr", "rate", "start-alpha"),
    "--window": ("ws", "window-size", "context"),
    "--negative": ("neg", "negatives", "negative-samples"),
    "--sample": ("t", "subsample", "subsampling", "threshold"),
    "--min-count": ("min-frequency", "min-freq", "minimum-count"),
    "--workers": ("threads", "thread", "jobs", "n-jobs", "processes"),
    "--output": ("out", "out-file", "save", "destination"),
    "--model": ("vectors", "m", "embeddings", "model-path"),
    "--restrict": ("restrict-vocab", "vocab", "top-words"),
    "--overwrite": ("force", "f", "yes"),
    "--quiet": ("silent", "no-progress"),
    "--to": ("output-format", "target-format", "to-format"),
    "--format": ("from", "input-format", "source-format"),
    "--oov": ("unknown", "unknown-words"),
    "--errors": ("on-error", "encoding-errors", "ignore-errors"),
    "--host": ("bind", "address"),
    "--size": ("width", "height", "figsize"),
}
"""By option: the names that other programs have for it."""

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "train": ("fit", "skipgram", "word2vec", "learn"),
    "neighbors": ("neighbours", "most-similar", "similar", "nearest", "nn", "near"),
    "odd-one-out": ("doesnt-match", "odd", "outlier", "intruder"),
    "analogy": ("analogies", "ask"),
    "encode": ("vector", "vectors", "embed", "print-word-vectors"),
    "evaluate": ("eval", "test", "score", "accuracy", "benchmark"),
    "info": ("inspect", "show", "describe", "stats"),
    "serve": ("server", "run", "http", "api"),
    "phrases": ("phrase", "word2phrase", "bigrams"),
    "postprocess": ("quantize", "compress", "reduce"),
    "plot": ("draw", "visualize", "visualise"),
    "convert": ("import", "load"),
    "predict": ("classify", "label"),
}
"""By command: other names that people try."""


def suggest_option(error: click.NoSuchOption, arguments: Sequence[str]) -> click.UsageError:
    """Return the error for an unknown option, with suggestions.

    Args:
        error: as click raises it.
        arguments: of the command line; for -size, click reports only -s.
    """
    command = error.ctx.command if error.ctx else None
    known = [name for param in command.params for name in param.opts] if command else []
    given = error.option_name
    if not given.startswith("--"):
        given = next((text for text in arguments if text.startswith(given)), given).split("=")[0]
    found = _suggest(given, known, _OPTIONS)
    return click.UsageError(f"unknown option {given}.{_did_you_mean(found)}", error.ctx)


def suggest_command(context: click.Context, given: str, known: Iterable[str]) -> click.UsageError:
    """Return the error for an unknown command, with suggestions."""
    found = _suggest(given, list(known), _COMMANDS)
    return click.UsageError(f"unknown command {given!r}.{_did_you_mean(found)}", context)


def _suggest(given: str, known: Sequence[str], others: Mapping[str, tuple[str, ...]]) -> list[str]:
    plain = given.lstrip("-").replace("_", "-").lower()
    same = [name for name in known if name.lstrip("-") == plain]
    alike = [name for name in known if plain in others.get(name, ())]
    options = [name for name in known if len(name) > 2]
    near = get_close_matches("--" * given.startswith("-") + plain, options, n=2, cutoff=0.7)
    return list(dict.fromkeys(same + alike)) or near


def _did_you_mean(names: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(names)}?" if names else ""
