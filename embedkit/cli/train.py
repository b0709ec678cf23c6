"""train: text in, model directory out."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from contextlib import closing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import OutputName, given_options, reading_options
from embedkit.cli.output import print_json
from embedkit.cli.phrases import PHRASE_OPTIONS, phrase_options, phrase_settings
from embedkit.cli.progress import Display
from embedkit.cli.train_session import Training
from embedkit.errors import ConfigurationError, ModelError
from embedkit.training.config import RANGES, TrainingConfig

if TYPE_CHECKING:
    from embedkit.corpus.corpus import Corpus
    from embedkit.corpus.phrases import PhraseSettings
    from embedkit.encoders import SkipGramEncoder
    from embedkit.system.ranks import Ranks

__all__ = ["train"]

_HELP = {
    "dimension": "Length of a vector.",
    "window": "Words to either side that a word is paired with.",
    "negative": "Noise words drawn for each word.",
    "epochs": "Passes over the text.  [default: 5, more for a small text]",
    "min_count": "Leave out words that are rarer.",
    "sample": "Subsampling threshold for frequent words; 0 keeps all.",
    "learning_rate": "Step at the start; it falls linearly.",
    "workers": "Threads; one gives the same bytes every time.  [default: one a processor]",
    "seed": "Of every random draw.",
    "sync_every": "Tokens after which ranks, started by torchrun, agree.",
}
_NOTHING_LEARNED = 0.68
_UNLIMITED = 10_000


def _setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each setting of training, with the default that `TrainingConfig` has."""
    for field in reversed(fields(TrainingConfig)):
        if field.name not in _HELP:
            continue
        default = None if field.default is MISSING else field.default
        kind = float if isinstance(default, float) else int
        shown = f"  [default: {default:g}]" if default is not None and kind is float else ""
        shown = f"  [default: {default:,}]" if default is not None and kind is int else shown
        low, high = RANGES[field.name]
        limits = f"  From {low:g} to {high:g}." if high < _UNLIMITED else ""
        name = "--" + field.name.replace("_", "-")
        text = _HELP[field.name] + limits + shown
        command = click.option(name, type=kind, help=text)(command)
    return command


@click.command()
@click.argument("corpus", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=OutputName(),
    default="model.embedkit",
    show_default=True,
    metavar="MODEL",
    help="Model directory to write.",
)
@click.option(
    "--encoder",
    type=click.Choice(["skipgram", "charcode", "onehot"]),
    default="skipgram",
    show_default=True,
)
@_setting_options
@reading_options
@click.option(
    "--phrases",
    "passes",
    type=int,
    default=0,
    metavar="N",
    help="Join words that belong together, new_york, in N passes; 0 joins none.  [default: 0]",
)
@phrase_options("phrase-")
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Write down where training stands so often; 0 never does.",
)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="DEVICE",
    help="cpu, cuda, cuda:N, or auto, a GPU where there is one.",
)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint, if there is one.")
@click.option(
    "--continue-from",
    type=click.Path(),
    metavar="MODEL",
    help="Begin with this model's vectors and add the new words of CORPUS.",
)
@click.option(
    "--evaluate",
    type=click.Path(),
    metavar="FILE",
    help="Answer these analogies after each epoch.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="EPOCHS",
    help="Stop when --evaluate has not improved for so many epochs, counted anew by --resume.",
)
@click.option(
    "--log-json", type=OutputName(whole=False), metavar="FILE", help="Add progress to a file."
)
@click.option("--overwrite", is_flag=True, help="Replace a model that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def train(
    corpus: tuple[str, ...],
    output: str,
    encoder: str,
    passes: int,
    tokenizer: str,
    errors: str,
    directory: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train on CORPUS: files (.gz, .bz2, .xz and .zst too), folders, or - for standard input."""
    from embedkit.corpus.corpus import Corpus
    from embedkit.encoders import ENCODERS, SkipGramEncoder
    from embedkit.storage.model_directory import check_output
    from embedkit.system.ranks import join
    from embedkit.training.engine import device_name

    given = {name: options[name] for name in _HELP if options[name] is not None}
    if encoder != SkipGramEncoder.name:
        _refuse_unused(encoder)
    unused = given_options(*(f"phrase_{name}" for name in PHRASE_OPTIONS))
    if unused and not passes:
        raise ConfigurationError(f"{', '.join(unused)} has no use without --phrases N.")
    path = Path(output)
    device = device_name(options["device"])  # a mistake is found before the others are waited for
    ranks = join(gpus=device != "cpu")
    if ranks.rank == 0:
        check_output(path, overwrite=overwrite)
    start = _start(options["continue_from"]) if options["continue_from"] else None
    if start is not None:
        given.setdefault("dimension", start.dimension)
    model = ENCODERS[encoder](**given)
    phrases = phrase_settings(options, "phrase_", passes=passes) if passes else None
    training = Training(path, options, ranks, overwrite=overwrite)
    with Display(corpus, quiet=quiet or ranks.rank > 0) as display, closing(training):
        text = Corpus.read(
            list(corpus),
            tokenizer=tokenizer,
            errors=errors,
            directory=directory,
            progress=display.reading,
            ranks=ranks,
        )
        display.say(
            f"{text.vocabulary.counts.sum():,} tokens, {len(text):,} sentences, "
            f"{len(text.vocabulary):,} distinct words"
        )
        if phrases is not None:
            text = _with_phrases(text, phrases, directory, ranks, display)
        if isinstance(model, SkipGramEncoder):
            training.fit(model, text, start, display)
        else:
            model.fit(text)
    ranks.leave()
    if ranks.rank > 0:
        return
    model.save(path, overwrite=overwrite)
    training.is_over()
    if as_json:
        report = getattr(model, "report", {})
        words, dimension = len(model.vocabulary), model.dimension
        print_json({"model": output, "words": words, "dimension": dimension, "training": report})
    elif not quiet:
        click.echo(_summary(model, output))


def _with_phrases(
    text: Corpus, settings: PhraseSettings, directory: str | None, ranks: Ranks, display: Display
) -> Corpus:
    from embedkit.corpus.phrases import Phrases

    progress = display.phrases(len(text.tokens) * 3 * settings.passes)
    learned, text = Phrases.learn_and_apply(
        text, settings, directory=directory, ranks=ranks, progress=progress
    )
    display.say(
        f"{len(learned):,} phrases: {text.vocabulary.counts.sum():,} tokens, "
        f"{len(text.vocabulary):,} distinct words"
    )
    return text


def _start(path: str) -> SkipGramEncoder:
    from embedkit.encoders import SkipGramEncoder, load_encoder

    model = load_encoder(path)
    if not isinstance(model, SkipGramEncoder) or model.context is None:
        raise ModelError(
            f"{path} has no output matrix, which training goes on from: only skipgram models have "
            "one, until they are postprocessed or converted.",
            hint="Name the model as embedkit train wrote it.",
        )
    return model


def _refuse_unused(encoder: str) -> None:
    settings = [name for name in _HELP if name != "min_count"]
    unused = given_options(*settings, "resume", "continue_from", "evaluate", "patience", "log_json")
    if unused:
        raise ConfigurationError(f"the {encoder} encoder has no use for {', '.join(unused)}.")


def _summary(model: Any, output: str) -> str:
    lines = [f"{output}: {len(model.vocabulary):,} words, {model.dimension:,} dimensions"]
    if report := getattr(model, "report", None):
        epochs = report["epochs"]
        lines.append(
            f"{epochs} epoch{'s' if epochs > 1 else ''} in {report['seconds']:.1f} s, "
            f"{report['tokens_per_second']:,.0f} words/s, loss {report['loss']:.4f}"
        )
    option = "" if output == "model.embedkit" else f" --model {shlex.quote(output)}"
    middle = model.vocabulary[len(model.vocabulary) // 20]
    if report and report["loss"] > _NOTHING_LEARNED:
        lines.append(
            f"The loss is that of guessing, {math.log(2):.3f}: next to nothing was learned. "
            "Use more text, more --epochs, or --sample 0, which keeps every word."
        )
    lines.append(f"Try: embedkit neighbors {shlex.quote(middle)}{option}")
    return "\n".join(lines)
