"""What was learned from a text: phrases, which can be applied to texts, written down and read."""

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
from embedkit.system.files import atomic_file, storage_errors
from embedkit.system.ranks import Ranks, SingleProcess
from embedkit.validation import refuse_string

__all__ = ["Phrases"]


def _ignore_progress(_: int) -> None:
    pass


class Phrases:
    """Phrases that were learned from a text.

    Args:
        settings: with which they were learned.
        passes: the phrases of each pass, the best first.

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
        progress: Callable[[int], None] = _ignore_progress,
        **changes: Any,
    ) -> Phrases:
        """Find the phrases of a text.

        Args:
            corpus: the text.
            settings: or its fields as keywords, such as passes, scoring, threshold.
            ranks: processes that each have a share of the text; all find the same phrases.
            directory: of temporary files, 8 bytes a token; default: the system's.
            progress: is called with the number of tokens looked at since the last call: twice as
                many as the text has in the first pass, and three times in each that follows.

        Raises:
            ConfigurationError: a setting is unknown or outside its range.
            StorageError: the disk is too small for the temporary files.
        """
        settings = PhraseSettings.of(settings, **changes)
        work = _Work(
            settings, ranks or SingleProcess(), directory or tempfile.gettempdir(), progress
        )
        passes: list[Sequence[Phrase]] = []
        for number in range(settings.passes):
            if number:
                corpus = work.join(corpus, passes[-1])
            passes.append(work.find(corpus))
            if not passes[-1]:  # nor would another pass find any
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
        progress: Callable[[int], None] = _ignore_progress,
    ) -> tuple[Phrases, Corpus]:
        """Return what `learn` and then `apply` return, with less work: each pass joins once."""
        work = _Work(
            settings, ranks or SingleProcess(), directory or tempfile.gettempdir(), progress
        )
        passes: list[Sequence[Phrase]] = []
        while len(passes) < settings.passes and (not passes or passes[-1]):
            passes.append(work.find(corpus))
            corpus = work.join(corpus, passes[-1])
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
        progress: Callable[[int], None] = _ignore_progress,
    ) -> Corpus: ...

    @overload
    def apply(self, text: Sequence[str]) -> list[str]: ...

    def apply(
        self,
        text: Corpus | Sequence[str],
        *,
        ranks: Ranks | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = _ignore_progress,
    ) -> Corpus | list[str]:
        """Return a text with its phrases joined: from the left, pass by pass.

        Args:
            text: a corpus, or the tokens of one sentence; the options are of use for a corpus.
            ranks: processes that each have a share of the text.
            directory: of temporary files, 4 bytes a token; default: the system's.
            progress: is called with the number of tokens looked at since the last call, as many as
                the text has in each pass.

        Raises:
            ConfigurationError: *text* is a string.
            StorageError: the disk is too small for the temporary files.
        """
        if isinstance(text, Corpus):
            work = _Work(
                self.settings,
                ranks or SingleProcess(),
                directory or tempfile.gettempdir(),
                progress,
            )
            for found in self.passes:
                text = work.join(text, found)
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

    def facts(self) -> dict[str, Any]:
        """Return the settings, and the number of phrases that each pass found."""
        facts = asdict(self.settings)
        return {
            **facts,
            "connectors": list(facts["connectors"]),
            "found": list(map(len, self.passes)),
        }

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a file of tab-separated lines: joined form, score, count, pass, words.

        Raises:
            ConfigurationError: a word has white space in it, which a list of tokens may have.
            OutputExistsError: something is there and *overwrite* is false.
            StorageError: the disk is full or the place cannot be written to.
        """
        with atomic_file(Path(path), overwrite=overwrite) as file:
            self.write(file)

    def write(self, file: BinaryIO) -> None:
        """Write to an open file what `save` does."""
        write_phrases(file, self.settings, self.passes)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Phrases:
        """Read what `save` wrote.

        Raises:
            CorpusError: there is no such file, or a line of it is no phrase; the message names it.
        """
        return cls(*read_phrases(Path(path)))

    def __len__(self) -> int:
        """Number of phrases."""
        return sum(map(len, self.passes))

    def __iter__(self) -> Iterator[Phrase]:
        """Yield the phrases, pass by pass, the best first."""
        for found in self.passes:
            yield from found

    def __repr__(self) -> str:
        return f"Phrases({len(self):,} of {len(self.passes)} passes, {self.settings.scoring})"


class _Work:
    """Where and with whom passes over a corpus are made."""

    def __init__(
        self,
        settings: PhraseSettings,
        ranks: Ranks,
        directory: str | os.PathLike[str],
        progress: Callable[[int], None],
    ) -> None:
        self._rest = (settings, ranks, directory, progress)
        self._directory = directory

    def find(self, corpus: Corpus) -> list[Phrase]:
        from embedkit.corpus.phrases.count import find_phrases  # imports numba

        with storage_errors(self._directory, "nothing was written"):
            return find_phrases(corpus, *self._rest)

    def join(self, corpus: Corpus, found: Sequence[Phrase]) -> Corpus:
        from embedkit.corpus.phrases.join import join_phrases  # imports numba

        with storage_errors(self._directory, "nothing was written"):
            return join_phrases(corpus, found, *self._rest)


def _join(
    tokens: list[str], joined: dict[tuple[str, ...], str], connectors: frozenset[str]
) -> Iterator[str]:
    """Yield the tokens of a sentence, those of a phrase as one: what `kernels.join` does."""
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
