"""The options of `train` that set how it trains."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from embedkit.cli.options import Command, Decorator, device_option, seed_option, workers_option
from embedkit.cli.parameters import Duration, Number, WholeNumber
from embedkit.training.config import RANGES, SAMPLES, TrainingConfig
from embedkit.training.options import ARCHITECTURES, PRECISIONS, ROW_TYPES

__all__ = ["NGRAM_SETTINGS", "SETTINGS", "device_options", "setting_options"]

SETTINGS = {
    "dimension": "Length of a vector.",
    "window": "Largest distance between a word and its context words.",
    "negative": "Negative samples per word.",
    "epochs": "Passes over the text.",
    "time_budget": "Instead of --epochs: as many as fit this time, by a measured speed.",
    "min_count": "Leave out words that occur less often.",
    "sample": "Subsampling threshold for frequent words; 0 keeps all.",
    "learning_rate": "Initial learning rate; it falls linearly.",
    "architecture": "What predicts a word: each of its context words, or their mean.",
    "position_weights": "With cbow: weight context words by their position.",
    "min_ngram": "With subword: shortest character n-grams, in characters.",
    "max_ngram": "With subword: longest character n-grams.",
    "buckets": "With subword: rows that n-grams are hashed to; only those used take memory.",
    "sync_every": "Tokens between synchronizations of processes started by torchrun.",
}
"""Settings of training with their help; there are options of the same names."""

NGRAM_SETTINGS = ("min_ngram", "max_ngram", "buckets")
"""Those of the encoder subword."""

_SHOWN_DEFAULTS = {
    "negative": "5; 11 with subword",
    "learning_rate": "0.05, with cbow 0.075; with subword 0.035, with cbow 0.1",
    "min_ngram": "4; 3 with cbow",
    "max_ngram": "6; 5 with cbow",
    "buckets": "2,000,000",
    "epochs": "5, or more for a small text",
    "sync_every": "250,000 divided by the number of processes",
    "sample": "; ".join(
        f"{sample:g} from {tokens:,} tokens" for tokens, sample in SAMPLES.items() if tokens
    )
    + "; else 0",
}
_UNLIMITED = 2**31


def setting_options(command: Command) -> Command:
    """Add an option for each setting of training, with the default that `TrainingConfig` has."""
    workers = WholeNumber(*map(int, RANGES["workers"]))
    command = workers_option(
        "Threads; with one, the same seed gives the same bytes.", workers, "one per processor"
    )(seed_option(command))
    for field in reversed(fields(TrainingConfig)):
        if field.name in SETTINGS:
            command = _setting_option(field.name, field.default)(command)
    return command


def _setting_option(name: str, default: Any) -> Decorator:
    option = "--" + name.replace("_", "-")
    if isinstance(default, bool):
        return click.option(option, is_flag=True, help=SETTINGS[name])
    if name == "time_budget":
        kind = Duration(*RANGES[name])
        return click.option("--time", name, type=kind, metavar="TIME", help=SETTINGS[name])
    if name == "architecture":
        return click.option(
            option, type=click.Choice(ARCHITECTURES), default=default, show_default=True,
            help=SETTINGS[name],
        )  # fmt: skip
    low, high = RANGES[name]
    highest = high if high < _UNLIMITED else None
    number = (
        Number(low, highest)
        if isinstance(low, float)
        else WholeNumber(int(low), None if highest is None else int(highest))
    )
    shown = _SHOWN_DEFAULTS.get(name, True)
    return click.option(
        option, type=number, default=default, show_default=shown, help=SETTINGS[name]
    )


def device_options(command: Command) -> Command:
    """Add the options for the device, and for training on a GPU."""
    for option in (
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default=PRECISIONS[0],
            show_default=True,
            help="Precision of matrix products on a GPU; float32 is several times slower.",
        ),
        click.option(
            "--rows",
            type=click.Choice(ROW_TYPES),
            default=ROW_TYPES[0],
            show_default=True,
            help="Data type of the vectors on a GPU; bfloat16 takes half the memory and is less "
            "precise.",
        ),
        device_option("auto"),
    ):
        command = option(command)
    return command
