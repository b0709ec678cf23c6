"""Phrases learned from a text: apply them to texts, save and load them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, overload

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.phrases.settings import PhraseSettings
from embedkit.corpus.phrases.storage import Phrase, read_phrases, write_phrases
from embedkit.corpus.reader import no_progress
from embedkit.errors import counted
from embedkit.system.files import atomic_file
from embedkit.system.full_disk import temporary_storage_errors
from embedkit.system.ranks import Ranks, SingleProcess
from embedkit.validation import refuse_string

__all__ = ["Phrases"]


class Phrases:
    """Phrases learned from a text.

    Args:
        settings: the settings they were learned with.
        passes: the phrases of each pass, highest score first.

    Attributes:
        settings, passes: as given.
    """

    def __init__(self, settings: PhraseSettings, passes: Sequence[Sequence[Phrase]]) -> None:
        self.settings = settings
        self.passes = tuple(map(tuple, passes))

    @classmethod
    def learn(
        cls,
        corpus: Corpus,
        settings: PhraseSettings | None = None,
        *,
        ranks: Ranks | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = no_progress,
        **changes: Any,
    ) -> Phrases:
        """Find the phrases of a text.

        Args:
            corpus: the text.
            settings: default: `PhraseSettings()`.
            changes: fields of `PhraseSettings` to change, such as passes, scoring, threshold.
            ranks: processes that each have a share of the text; all of them find the same phrases.
            directory: where to make temporary files, 8 bytes per token; default: the system's
                temporary folder.
            progress: called with the number of tokens processed since the last call. The first pass
                processes the text twice, each later pass three times.

        Raises:
            ConfigurationError: a setting is unknown or outside its range.
            StorageError: the disk is full, or the path is not writable.
        """
        settings = PhraseSettings.of(settings, **changes)
        runner = _Passes(
            settings, ranks or SingleProcess(), directory or tempfile.gettempdir(), progress
        )
        passes: list[Sequence[Phrase]] = []
        for number in range(settings.passes):
            if number:
                corpus = runner.join(corpus, passes[-1])
            passes.append(runner.find(corpus))
            if not passes[-1]:  # later passes would find nothing either
                break
        return cls(settings, passes)

    @classmethod
    def learn_and_apply(
        cls,
        corpus: Corpus,
        settings: PhraseSettings,
        *,
        ranks: Ranks | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = no_progress,
    ) -> tuple[Phrases, Corpus]:
        """Learn phrases and apply them; faster than `learn` and `apply`, with the same result."""
        runner = _Passes(
            settings, ranks or SingleProcess(), directory or tempfile.gettempdir(), progress
        )
        passes: list[Sequence[Phrase]] = []
        while len(passes) < settings.passes and (not passes or passes[-1]):
            passes.append(runner.find(corpus))
            corpus = runner.join(corpus, passes[-1])
        learned = cls(settings, passes)
        corpus.phrases = learned.facts()
        return learned, corpus

    @overload
    def apply(
        self,
        text: Corpus,
        *,
        ranks: Ranks | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = no_progress,
    ) -> Corpus: ...

    @overload
    def apply(self, text: Sequence[str]) -> list[str]: ...

    def apply(
        self,
        text: Corpus | Sequence[str],
        *,
        ranks: Ranks | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = no_progress,
    ) -> Corpus | list[str]:
        """Return a text with its phrases joined, from left to right, pass by pass.

        Args:
            text: a corpus, or the tokens of one sentence; the other arguments are for a corpus.
            ranks: processes that each have a share of the text.
            directory: where to make temporary files, 4 bytes per token; default: the system's
                temporary folder.
            progress: called with the number of tokens processed since the last call. Each pass
                processes the text once.

        Raises:
            ConfigurationError: *text* is a string.
            StorageError: the disk is full, or the path is not writable.
        """
        if isinstance(text, Corpus):
            runner = _Passes(
                self.settings,
                ranks or SingleProcess(),
                directory or tempfile.gettempdir(),
                progress,
            )
            for found in self.passes:
                text = runner.join(text, found)
            text.phrases = self.facts()
            return text
        refuse_string(text)
        tokens = list(text)
        for joined in self._joined:
            tokens = list(_join(tokens, joined, frozenset(self.settings.connectors)))
        return tokens

    @cached_property
    def _joined(self) -> list[dict[tuple[str, ...], str]]:
        """The joined form of each phrase, pass by pass."""
        delimiter = self.settings.delimiter
        return [{phrase.words: delimiter.join(phrase.words) for phrase in p} for p in self.passes]

    def facts(self) -> dict[str, object]:
        """Return the settings, and as "found" the number of phrases of each pass."""
        settings = asdict(self.settings)
        return {
            **settings,
            "connectors": list(settings["connectors"]),
            "found": list(map(len, self.passes)),
        }

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a file of tab-separated lines: joined form, score, count, pass, words.

        Raises:
            ConfigurationError: a word contains white space, which is possible in token lists.
            OutputExistsError: the file exists and *overwrite* is false.
            StorageError: the disk is full, or the path is not writable.
        """
        with atomic_file(Path(path), overwrite=overwrite) as file:
            self.write(file)

    def write(self, file: BinaryIO) -> None:
        """Write the contents of `save` to an open file."""
        write_phrases(file, self.settings, self.passes)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Phrases:
        """Read a file written by `save`.

        Raises:
            CorpusError: the file cannot be read or is not a phrase file.
        """
        return cls(*read_phrases(Path(path)))

    def __len__(self) -> int:
        """Number of phrases."""
        return sum(map(len, self.passes))

    def __iter__(self) -> Iterator[Phrase]:
        """Yield the phrases, pass by pass, highest score first."""
        for found in self.passes:
            yield from found

    def __repr__(self) -> str:
        passes = counted(len(self.passes), "pass", "passes")
        return f"Phrases({len(self):,} in {passes}, {self.settings.scoring})"


class _Passes:
    """Runs passes over a corpus, with the settings and resources that all passes share."""

    def __init__(
        self,
        settings: PhraseSettings,
        ranks: Ranks | None,
        directory: str | os.PathLike[str] | None,
        progress: Callable[[int], None],
    ) -> None:
        self._directory = directory or tempfile.gettempdir()
        self._arguments = (settings, ranks or SingleProcess(), self._directory, progress)

    def find(self, corpus: Corpus) -> list[Phrase]:
        from embedkit.corpus.phrases.count import find_phrases  # imports numba

        with temporary_storage_errors(self._directory):
            return find_phrases(corpus, *self._arguments)

    def join(self, corpus: Corpus, found: Sequence[Phrase]) -> Corpus:
        from embedkit.corpus.phrases.join import join_phrases  # imports numba

        with temporary_storage_errors(self._directory):
            return join_phrases(corpus, found, *self._arguments)


def _join(
    tokens: list[str], joined: dict[tuple[str, ...], str], connectors: frozenset[str]
) -> Iterator[str]:
    """Yield the tokens of a sentence with phrases joined, like `kernels.join`."""
    pending: list[str] = []  # a word and the connectors after it
    for token in tokens:
        if token in connectors:
            if pending:
                pending.append(token)
            else:
                yield token
            continue
        phrase = joined.get((*pending, token)) if pending else None
        if phrase is None:
            yield from pending
            pending = [token]
        else:
            yield phrase
            pending = []
    yield from pending
