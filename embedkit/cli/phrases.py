"""phrases: find phrases in a text and join each into one word."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from embedkit.cli.options import (
    Command,
    Decorator,
    counting_limits,
    json_option,
    output_option,
    overwrite_option,
    quiet_option,
    reading_options,
    refuse_unused,
)
from embedkit.cli.output import print_json
from embedkit.cli.parameters import INPUT, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs, refuse_inputs, refuse_two_streams
from embedkit.cli.progress import Display
from embedkit.corpus.phrases.settings import DEFAULT_THRESHOLDS, MAX_PASSES
from embedkit.errors import ConfigurationError, CorpusError, SettingError, counted, plural

if TYPE_CHECKING:
    from embedkit.corpus.corpus import Corpus
    from embedkit.corpus.phrases import Phrases, PhraseSettings

__all__ = ["PHRASE_OPTIONS", "phrase_options", "phrase_settings", "phrases"]

PHRASE_OPTIONS: dict[str, dict[str, Any]] = {
    "scoring": {
        "type": click.Choice(tuple(DEFAULT_THRESHOLDS)),
        "default": "mikolov",
        "show_default": True,
        "help": "Mikolov's score, or normalized pointwise mutual information (npmi), from -1 to 1.",
    },
    "threshold": {
        "type": float,
        "show_default": "10, or 0.5 with npmi",
        "help": "A phrase must have a higher score than this.",
    },
    "connectors": {
        "default": "none",
        "show_default": True,
        "metavar": "WORDS",
        "help": "Words allowed inside a phrase: none, english, or a file of words.",
    },
    "min_count": {
        "type": WholeNumber(1),
        "default": 5,
        "show_default": True,
        "help": "Leave out phrases that occur less often.",
    },
}
"""Options of phrases, by the name of their setting."""


def phrase_options(prefix: str) -> Decorator:
    """Return a decorator that adds the options of phrases, with *prefix* before their names."""

    def add(command: Command) -> Command:
        for name, settings in reversed(PHRASE_OPTIONS.items()):
            option = f"--{prefix}{name}".replace("_", "-")
            command = click.option(option, **settings)(command)
        return command

    return add


def phrase_settings(options: dict[str, Any], prefix: str = "", **others: Any) -> PhraseSettings:
    """Return the settings that the options of `phrase_options` give.

    Raises:
        ConfigurationError: a value is out of range.
        CorpusError: the file of connectors cannot be read.
    """
    from embedkit.corpus.phrases import PhraseSettings

    given = {name: options[prefix + name] for name in ("scoring", "threshold", "min_count")}
    connectors = _connectors(options[prefix + "connectors"])
    try:
        return PhraseSettings(**given, connectors=connectors, **others)
    except SettingError as error:
        option = f"--{prefix}{error.setting}".replace("_", "-")
        raise SettingError(option, error.requirement, error.value) from error


def _connectors(name: str) -> tuple[str, ...]:
    from embedkit.corpus.encodings import read_lines
    from embedkit.corpus.phrases import CONNECTORS
    from embedkit.corpus.tokenizers import split_words

    if name in CONNECTORS:
        return CONNECTORS[name]
    try:
        lines = read_lines(Path(name), name, CorpusError)
    except CorpusError as error:
        raise CorpusError(error.message, hint="Pass a file of words, none or english.") from error
    return tuple(word for line in lines for word in split_words(line))


@click.command()
@click.argument("corpus", nargs=-1, required=True, type=INPUT)
@output_option(
    "File for the text, one sentence per line; .gz, .bz2, .xz and .zst compress; - is standard "
    "output.",
    OutputPath(stream=True),
)
@click.option(
    "--list",
    "listed",
    type=OutputPath(stream=True),
    metavar="PATH",
    help="File for the phrases, with score, count, pass and words; - is standard output.",
)
@click.option(
    "--passes",
    type=WholeNumber(1, MAX_PASSES),
    default=1,
    show_default=True,
    help="Passes over the text; each joins words and phrases of the previous one, so 2 passes give "
    "phrases of up to 4 words.",
)
@phrase_options("")
@click.option(
    "--delimiter",
    default="_",
    show_default=True,
    metavar="TEXT",
    help="Text between the words of a phrase.",
)
@click.option(
    "--apply",
    "applied",
    type=INPUT,
    metavar="FILE",
    help="Join the phrases in FILE, which --list wrote, instead of finding new ones.",
)
@reading_options
@overwrite_option
@quiet_option
@json_option
def phrases(
    corpus: tuple[str, ...],
    output: str | None,
    listed: str | None,
    applied: str | None,
    directory: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find phrases in CORPUS and join each into one word.

    For example, new york becomes new_york. CORPUS is one or more files or folders, or - for
    standard input, as for `embedkit train`.
    """
    from embedkit.corpus.corpus import Corpus
    from embedkit.corpus.phrases import Phrases
    from embedkit.system.files import check_output_stream

    _check_targets(output, listed, as_json=as_json)
    refuse_inputs([output, listed], [*corpus, applied])
    if applied:
        refuse_unused("with --apply", "passes", *PHRASE_OPTIONS, "delimiter")
    names = {name: options[name] for name in ("passes", "delimiter")}
    settings = phrase_settings(options, **names)
    lock_outputs(output, listed)
    for name in (output, listed):
        if name is not None:
            check_output_stream(name, overwrite=overwrite)
    known = Phrases.load(applied) if applied else None
    with Display(corpus, quiet=quiet) as display:
        text = Corpus.read(
            list(corpus),
            tokenizer=options["tokenizer"],
            encoding=options["encoding"],
            errors=options["errors"],
            directory=directory,
            progress=display.reading,
            limits=counting_limits(options),
        )
        display.say(
            f"{counted(len(text.tokens), 'token')}, {counted(len(text), 'sentence')}, "
            f"{counted(len(text.vocabulary), 'distinct word')}"
        )
        display.left_out(text, counting_limits(options))
        learned, joined = _joined(text, known, settings, directory, display)
        _write(learned, joined, output, listed, overwrite=overwrite)
    if as_json:
        print_json(_facts(learned, text, joined, output, listed))
    elif not quiet:
        click.echo(_summary(learned, text, joined), err="-" in (output, listed))


def _check_targets(output: str | None, listed: str | None, *, as_json: bool) -> None:
    if output is None and listed is None:
        raise click.UsageError("name a file with --output (-o) or --list.")
    refuse_two_streams(output, listed, as_json=as_json)
    if output and listed and Path(output).resolve() == Path(listed).resolve():
        raise ConfigurationError(f"--output and --list are the same file, {output}.")


def _joined(
    text: Corpus,
    known: Phrases | None,
    settings: PhraseSettings,
    directory: str | None,
    display: Display,
) -> tuple[Phrases, Corpus]:
    from embedkit.corpus.phrases import Phrases

    if known is not None:
        progress = display.phrases(len(text.tokens) * len(known.passes))
        return known, known.apply(text, directory=directory, progress=progress)
    progress = display.phrases(len(text.tokens) * 3 * settings.passes)
    return Phrases.learn_and_apply(text, settings, directory=directory, progress=progress)


def _write(
    learned: Phrases, joined: Corpus, output: str | None, listed: str | None, *, overwrite: bool
) -> None:
    """Write the text and the list; if one cannot be written, neither is."""
    from embedkit.system.compression import compress
    from embedkit.system.files import output_stream

    def target(name: str, files: ExitStack) -> BinaryIO:
        raw = files.enter_context(output_stream(name, overwrite=overwrite))
        return files.enter_context(compress(raw, Path(name)))

    with ExitStack() as files:
        text = target(output, files) if output else None
        table = target(listed, files) if listed else None
        if table:
            learned.write(table)
        if text:
            for lines in joined.lines():
                text.write(lines)


def _facts(
    learned: Phrases, text: Corpus, joined: Corpus, output: str | None, listed: str | None
) -> dict[str, object]:
    return {
        "file": output,
        "list": listed,
        "tokens": len(text.tokens),
        "sentences": len(text),
        "words": len(text.vocabulary),
        "joined_tokens": len(joined.tokens),
        "joined_words": len(joined.vocabulary),
        "phrases": learned.facts(),
        "left_out": asdict(text.left_out),
    }


def _summary(learned: Phrases, text: Corpus, joined: Corpus) -> str:
    found = " and ".join(f"{len(phrases):,}" for phrases in learned.passes)
    passes = counted(len(learned.passes), "pass", "passes")
    total = sum(map(len, learned.passes))
    return (
        f"{found} {plural(total, 'phrase')} in {passes}: "
        f"{counted(len(joined.tokens), 'token')}, "
        f"{len(joined.vocabulary):,} distinct"
    )
