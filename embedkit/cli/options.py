"""Options with the same name and meaning in every command, each defined once."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import click
from click.core import ParameterSource

from embedkit.cli.parameters import DIRECTORY, MemorySize, ModelPath, OutputPath, WholeNumber
from embedkit.corpus.counting.limits import RANGES, CountingLimits
from embedkit.corpus.tokenizers import TOKENIZERS
from embedkit.encoders.names import ENCODER_NAMES
from embedkit.errors import ConfigurationError
from embedkit.index.options import METRIC_NAMES
from embedkit.validation import ERROR_POLICIES
from embedkit.vectors.options import OOV

__all__ = [
    "DEFAULT_MODEL",
    "Command",
    "Decorator",
    "counting_limits",
    "device_option",
    "encoder_option",
    "encoding_option",
    "errors_option",
    "explicit_options",
    "explicit_parameters",
    "json_option",
    "k_option",
    "metric_option",
    "model_argument",
    "model_option",
    "models_argument",
    "oov_option",
    "output_option",
    "overwrite_option",
    "quiet_option",
    "reading_options",
    "refuse_repeats",
    "refuse_unused",
    "restrict_option",
    "seed_option",
    "workers_option",
]

Command: TypeAlias = Callable[..., Any]
Decorator: TypeAlias = Callable[[Command], Command]

DEFAULT_MODEL = "model.embedkit"
_MODEL: dict[str, Any] = {"type": ModelPath(), "envvar": "EMBEDKIT_MODEL", "metavar": "PATH"}
_MODEL_HELP = "Model directory, or a file of vectors; EMBEDKIT_MODEL sets another default."

model_option = click.option(
    "--model", default=DEFAULT_MODEL, show_default=True, help=_MODEL_HELP, **_MODEL
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Print no progress, no warnings and no summary."
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace an existing output.")
seed_option = click.option(
    "--seed", type=WholeNumber(0), default=1, show_default=True, help="Seed of the random numbers."
)


def device_option(default: str) -> Decorator:
    """Return the option for where to train."""
    return click.option(
        "--device",
        default=default,
        show_default=True,
        metavar="DEVICE",
        help="cpu, cuda, cuda:N, or auto for a GPU if there is one.",
    )


k_option = click.option(
    "-k", type=WholeNumber(1), default=10, show_default=True, help="Number of answers."
)
restrict_option = click.option(
    "--restrict", type=WholeNumber(1), help="Search only this many of the most frequent words."
)
encoder_option = click.option(
    "--encoder",
    type=click.Choice(ENCODER_NAMES),
    help="Use this encoder's vectors of the model's words instead of the trained ones.",
)
oov_option = click.option(
    "--oov",
    type=click.Choice(OOV),
    default="error",
    show_default=True,
    help="What to do with unknown words. error: compose a vector of character n-grams, or stop if "
    "the model has none of them. skip: leave the words out. spell: use the nearest spelling. "
    "subwords: compose, or leave out.",
)


def metric_option(default: str = "cosine") -> Decorator:
    """Return the option that chooses how vectors are compared."""
    return click.option(
        "--metric",
        type=click.Choice(METRIC_NAMES),
        default=default,
        show_default=True,
        help="Cosine similarity, Euclidean distance (l2) or inner product (dot).",
    )


def encoding_option(source: str) -> Decorator:
    """Return the option that names the character encoding of *source*."""
    return click.option(
        "--encoding",
        default="utf-8",
        show_default=True,
        metavar="NAME",
        help=f"Character encoding of {source}.",
    )


def errors_option(meaning: str = "What to do with bytes that are not UTF-8.") -> Decorator:
    """Return the option that chooses what to do with invalid input."""
    return click.option(
        "--errors",
        type=click.Choice(ERROR_POLICIES),
        default="strict",
        show_default=True,
        help=meaning,
    )


def workers_option(meaning: str, limits: WholeNumber, default: int | str) -> Decorator:
    """Return the option that sets how many threads or processes work in parallel.

    Args:
        meaning: what the workers are.
        limits: the smallest and the largest number.
        default: the number, or a description of it.
    """
    shown: dict[str, Any] = {"default": default, "show_default": True}
    if isinstance(default, str):
        shown = {"show_default": default}
    return click.option("--workers", type=limits, help=meaning, **shown)


def output_option(meaning: str, path: OutputPath, **settings: Any) -> Decorator:
    """Return the option that names the output; *settings* are those of `click.option`."""
    settings = {"show_default": "default" in settings, **settings}
    return click.option("-o", "--output", type=path, metavar="PATH", help=meaning, **settings)


def reading_options(command: Command) -> Command:
    """Add the options of `Corpus.read`."""
    for option in (
        click.option(
            "--temporary-directory",
            "directory",
            type=DIRECTORY,
            show_default="the system's",
            help="Directory for temporary token ids, 4 bytes per token.",
        ),
        click.option(
            "--count-memory",
            type=MemorySize(*map(int, RANGES["count_memory"])),
            metavar="SIZE",
            show_default="no limit; with --max-vocabulary what it needs",
            help="Memory for counting words, such as 2G. Beyond it, words are counted on disk, and "
            "only the most frequent are kept, one per 384 bytes.",
        ),
        click.option(
            "--max-vocabulary",
            type=WholeNumber(*map(int, RANGES["max_vocabulary"])),
            metavar="N",
            help="Keep only the N most frequent words.",
        ),
        click.option(
            "--max-word-length",
            type=WholeNumber(*map(int, RANGES["max_word_length"])),
            default=CountingLimits.max_word_length,
            show_default=True,
            metavar="N",
            help="Leave out words of more than N characters.",
        ),
        errors_option("What to do with bytes that are not valid in that encoding."),
        encoding_option("CORPUS"),
        click.option(
            "--tokenizer",
            type=click.Choice(tuple(TOKENIZERS)),
            default="words",
            show_default=True,
            help="words: case-folded words of any script; words+emoji: the same, and emoji; "
            "words+punctuation: words, and ASCII punctuation marks; "
            "whitespace: tokens between white space, unchanged.",
        ),
    ):
        command = option(command)
    return command


def counting_limits(options: Mapping[str, Any]) -> CountingLimits:
    """Return the limits that the options of `reading_options` give."""
    return CountingLimits(**{name: options[name] for name in RANGES})


def model_argument(command: Command) -> Command:
    """Add --model, and an argument MODEL with the same meaning."""

    @functools.wraps(command)
    def with_model(*, model: str, model_argument: str | None, **given: Any) -> Any:
        if model_argument is not None:
            _refuse_two_names()
            model = model_argument
        return command(model=model, **given)

    argument = click.argument("model_argument", required=False, type=ModelPath(), metavar="[MODEL]")
    return argument(model_option(with_model))


def refuse_repeats(paths: Sequence[str]) -> None:
    """Raise a usage error if a path is given twice: results are listed by path."""
    seen = set()
    for path in paths:
        place = os.path.abspath(path)
        if place in seen:
            raise click.UsageError(f"{path} is given twice; name it once.")
        seen.add(place)


def models_argument(command: Command) -> Command:
    """Add a repeatable --model, and arguments MODELS with the same meaning."""

    @functools.wraps(command)
    def with_models(
        *, models: tuple[str, ...], models_argument: tuple[str, ...], **given: Any
    ) -> Any:
        if models_argument:
            _refuse_two_names()
            models = models_argument
        refuse_repeats(models)
        return command(models=models, **given)

    option = click.option(
        "--model",
        "models",
        multiple=True,
        default=(DEFAULT_MODEL,),
        show_default=True,
        help=f"{_MODEL_HELP} Repeatable.",
        **_MODEL,
    )
    argument = click.argument("models_argument", nargs=-1, type=ModelPath(), metavar="[MODELS]...")
    return argument(option(with_models))


def _refuse_two_names() -> None:
    if explicit_options("model", "models"):
        raise click.UsageError("name the model once, as an argument or with --model.")


def explicit_options(*names: str) -> list[str]:
    """Return those options of the running command that the user gave, as in --min-count.

    Args:
        names: of parameters of the command's function.
    """
    params = click.get_current_context().command.params
    options = {str(param.name): max(param.opts, key=len) for param in params}
    return [options[name] for name in explicit_parameters(*names)]


def explicit_parameters(*names: str) -> list[str]:
    """Return those parameters of the running command that the user gave."""
    source = click.get_current_context().get_parameter_source
    return [name for name in names if source(name) is ParameterSource.COMMANDLINE]


def refuse_unused(reason: str, *names: str, hint: str = "") -> None:
    """Raise `ConfigurationError` if the user gave options that would have no effect.

    Args:
        reason: completes the sentence "--size cannot be used", as in "with --training".
        names: of parameters of the command's function.
        hint: what to do about it.
    """
    if unused := explicit_options(*names):
        raise ConfigurationError(f"{', '.join(unused)} cannot be used {reason}.", hint=hint)
