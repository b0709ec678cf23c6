"""train: a model from a text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import (
    DEFAULT_MODEL,
    counting_limits,
    explicit_parameters,
    json_option,
    output_option,
    overwrite_option,
    quiet_option,
    reading_options,
    refuse_unused,
)
from embedkit.cli.output import print_json, summary_of_vectors
from embedkit.cli.parameters import INPUT, ModelPath, Number, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.cli.phrases import PHRASE_OPTIONS, phrase_options, phrase_settings
from embedkit.cli.progress import Display
from embedkit.cli.train_options import NGRAM_SETTINGS, SETTINGS, device_options, setting_options
from embedkit.cli.train_session import TrainingSession
from embedkit.corpus.phrases.settings import MAX_PASSES
from embedkit.encoders.names import ENCODER_NAMES, UNTRAINED_ENCODERS
from embedkit.errors import ModelError, counted

if TYPE_CHECKING:
    from embedkit.corpus.corpus import Corpus
    from embedkit.corpus.phrases import PhraseSettings
    from embedkit.encoders import Encoder, TrainedEncoder
    from embedkit.system.ranks import Ranks

__all__ = ["train"]

_SETTINGS = (*SETTINGS, "workers", "seed")
_LONGEST_EXAMPLE = 40  # characters


@click.command()
@click.argument("corpus", nargs=-1, required=True, type=INPUT)
@output_option("Model directory to write.", OutputPath(directory=True), default=DEFAULT_MODEL)
@click.option(
    "--encoder", type=click.Choice(ENCODER_NAMES), default="skipgram", show_default=True,
    help="How words become vectors.",
)  # fmt: skip
@setting_options
@reading_options
@click.option(
    "--phrases",
    "passes",
    type=WholeNumber(0, MAX_PASSES),
    default=0,
    show_default=True,
    metavar="N",
    help="Join phrases, as in new_york, in N passes over the text; 0 joins none.",
)
@phrase_options("phrase-")
@click.option(
    "--checkpoint-every",
    type=Number(0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Time between checkpoints; 0 writes none.",
)
@device_options
@click.option("--resume", is_flag=True, help="Continue from the last checkpoint if there is one.")
@click.option(
    "--continue-from",
    type=ModelPath(),
    metavar="PATH",
    help="Start with this model, or fastText .bin file, and add the new words of CORPUS; encoder, "
    "dimension, architecture and n-grams are those of the model unless set.",
)
@click.option(
    "--evaluate", type=INPUT, metavar="FILE", help="Score these analogies after each epoch."
)
@click.option(
    "--patience",
    type=WholeNumber(1),
    metavar="EPOCHS",
    help="Stop after this many epochs without a better --evaluate score; --resume restarts the "
    "count.",
)
@click.option(
    "--log-json",
    type=OutputPath(whole=False),
    metavar="FILE",
    help="Append progress to FILE as JSON lines.",
)
@click.option(
    "--log-dir",
    type=OutputPath(whole=False, directory=True),
    metavar="DIR",
    help="Write loss, learning rate, words/s and --evaluate scores to DIR for TensorBoard.",
)
@overwrite_option
@quiet_option
@json_option
def train(
    corpus: tuple[str, ...],
    output: str,
    encoder: str,
    passes: int,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a model on CORPUS.

    CORPUS is one or more files (.gz, .bz2, .xz and .zst are decompressed) or folders, or - for
    standard input.
    """
    from embedkit.encoders import TrainedEncoder
    from embedkit.encoders.continuation import check_start
    from embedkit.storage.model_directory import check_output
    from embedkit.system.ranks import join

    _refuse_unused_options(encoder, options["continue_from"], passes)
    path = Path(output)
    start, encoder = _start(options["continue_from"], encoder)
    model = _new_model(encoder, start, options)
    if start is not None and isinstance(model, TrainedEncoder):
        check_start(start.vectors(), start.problem, model.config)  # before the text is read
    device = _device(model, options["device"])  # checked before waiting for other ranks
    ranks = join(gpus=device != "cpu")
    if ranks.rank == 0:
        lock_outputs(output)
        check_output(path, overwrite=overwrite)
    phrases = phrase_settings(options, "phrase_", passes=passes) if passes else None
    training = TrainingSession(path, options, ranks, overwrite=overwrite)
    with Display(corpus, quiet=quiet or ranks.rank > 0) as display, closing(training):
        text = _read(corpus, options, ranks, display)
        if phrases is not None:
            text = _with_phrases(text, phrases, options["directory"], ranks, display)
        if isinstance(model, TrainedEncoder):
            training.fit(model, text, start, display)
        else:
            model.fit(text)
    ranks.leave()
    if ranks.rank > 0:
        return
    model.save(path, overwrite=overwrite)
    training.finish()
    if as_json:
        _print_json(model, output)
    elif not quiet:
        click.echo(_summary(model, output))


def _device(model: Encoder, chosen: str) -> str:
    """Return the name of the device to train on; the options for a GPU must fit it."""
    from embedkit.encoders import TrainedEncoder
    from embedkit.training.engine import device_name

    config = model.config if isinstance(model, TrainedEncoder) else None
    device = "cpu" if config is None and chosen == "auto" else device_name(chosen, config)
    if device == "cpu":
        chooser = "" if chosen == "cpu" else ", which --device auto chose"
        refuse_unused(f"on a CPU{chooser}", "rows", "precision")
    return device


def _new_model(encoder: str, start: TrainedEncoder | None, options: Mapping[str, Any]) -> Encoder:
    """Return an encoder with the settings that the user gave.

    The other settings depend on the encoder, and on the model that training continues from.
    """
    from embedkit.encoders import ENCODERS

    given = {name: options[name] for name in explicit_parameters(*_SETTINGS)}
    if start is not None:
        kept = ["architecture", *(NGRAM_SETTINGS if encoder == start.name == "subword" else ())]
        if given.get("architecture", start.config.architecture) == "cbow":
            kept.append("position_weights")
        held = {name: getattr(start.config, name) for name in kept}
        given = {"dimension": start.dimension, **held, **given}
    return ENCODERS[encoder](**given)


def _read(
    corpus: tuple[str, ...], options: Mapping[str, Any], ranks: Ranks, display: Display
) -> Corpus:
    from embedkit.corpus.corpus import Corpus

    text = Corpus.read(
        list(corpus),
        tokenizer=options["tokenizer"],
        encoding=options["encoding"],
        errors=options["errors"],
        directory=options["directory"],
        progress=display.reading,
        ranks=ranks,
        limits=counting_limits(options),
    )
    display.say(f"{_size(text)}, {counted(len(text), 'sentence')}, {_distinct(text)}")
    display.left_out(text, counting_limits(options))
    return text


def _with_phrases(
    text: Corpus, settings: PhraseSettings, directory: str | None, ranks: Ranks, display: Display
) -> Corpus:
    from embedkit.corpus.phrases import Phrases

    progress = display.phrases(len(text.tokens) * 3 * settings.passes)
    learned, text = Phrases.learn_and_apply(
        text, settings, directory=directory, ranks=ranks, progress=progress
    )
    display.say(f"{counted(len(learned), 'phrase')}: {_size(text)}, {_distinct(text)}")
    return text


def _size(text: Corpus) -> str:
    return counted(int(text.vocabulary.counts.sum()), "token")  # of all ranks


def _distinct(text: Corpus) -> str:
    return counted(len(text.vocabulary), "distinct word")


def _start(path: str | None, encoder: str) -> tuple[TrainedEncoder | None, str]:
    """Return the model to continue from, and the encoder: the model's, unless one was given."""
    from embedkit.encoders import TrainedEncoder, load_encoder
    from embedkit.encoders.continuation import NO_CONTEXT

    if path is None:
        return None, encoder
    model = load_encoder(path)
    if not isinstance(model, TrainedEncoder) or model.context is None:
        raise ModelError(
            f"{path} has no output matrix to continue training from. "
            f"{getattr(model, 'problem', NO_CONTEXT)}",
            hint="Use the model that embedkit train wrote, or a .bin file of unsupervised fastText "
            "with negative sampling.",
        )
    if not explicit_parameters("encoder"):
        encoder = model.name
        _refuse_options_of_others(encoder)
    return model, encoder


def _refuse_unused_options(encoder: str, start: str | None, passes: int) -> None:
    if start is None or explicit_parameters("encoder"):
        _refuse_options_of_others(encoder)
    if not passes:
        refuse_unused("without --phrases N", *(f"phrase_{name}" for name in PHRASE_OPTIONS))


def _refuse_options_of_others(encoder: str) -> None:
    """Refuse options that another encoder has and this one does not."""
    if encoder not in UNTRAINED_ENCODERS:
        if encoder != "subword":
            hint = "Pass --encoder subword, or leave them out."
            refuse_unused(f"with --encoder {encoder}", *NGRAM_SETTINGS, hint=hint)
        return
    settings = [name for name in _SETTINGS if name != "min_count"]
    others = (
        "resume", "continue_from", "evaluate", "patience", "log_json", "log_dir",
        "device", "rows", "precision",
    )  # fmt: skip
    refuse_unused(f"with --encoder {encoder}", *settings, *others)


def _print_json(model: Encoder, output: str) -> None:
    report = getattr(model, "report", {})
    words, dimension = len(model.vocabulary), model.dimension
    print_json({"model": output, "words": words, "dimension": dimension, "training": report})


def _summary(model: Encoder, output: str) -> str:
    from embedkit.training.plan import EpochPlan

    lines = [summary_of_vectors(output, len(model.vocabulary), model.dimension, None)]
    if report := getattr(model, "report", None):
        epochs = report["epochs"]
        if plan := report.get("plan"):
            lines.append(f"{EpochPlan(**plan)}")
        lines.append(
            f"{counted(epochs, 'epoch')} in {report['seconds']:.1f} s, "
            f"{report['tokens_per_second']:,.0f} words/s, loss {report['loss']:.4f}"
        )
    option = "" if output == DEFAULT_MODEL else f" --model {shlex.quote(output)}"
    start = len(model.vocabulary) // 20
    near = model.vocabulary.words(range(start, min(start + 100, len(model.vocabulary))))
    example = next((word for word in near if len(word) <= _LONGEST_EXAMPLE), None)
    if example:
        lines.append(f"Try: embedkit neighbors {shlex.quote(example)}{option}")
    return "\n".join(lines)
