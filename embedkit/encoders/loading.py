"""Open model directories and files of vectors; make the encoders that need no training."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders.base import Encoder
from embedkit.encoders.charcode import CharCodeEncoder
from embedkit.encoders.names import UNTRAINED_ENCODERS
from embedkit.encoders.onehot import OneHotEncoder
from embedkit.encoders.skipgram import SkipGramEncoder
from embedkit.encoders.subword import SubwordEncoder
from embedkit.encoders.trained import TrainedEncoder
from embedkit.errors import ConfigurationError, ModelError, SlowFormatWarning
from embedkit.storage.config_file import VOCABULARY, reading_errors
from embedkit.storage.model_directory import StoredModel, read_model
from embedkit.validation import check_path
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["ENCODERS", "compare", "compare_each", "is_foreign", "load", "load_encoder", "untrained"]

ENCODERS: Mapping[str, type[Encoder]] = {
    encoder.name: encoder
    for encoder in (CharCodeEncoder, OneHotEncoder, SkipGramEncoder, SubwordEncoder)
}
_SLOW = 2.0  # seconds
_VECTORS_ONLY = "vectors"  # the encoder name that WordVectors.save writes


def load_encoder(path: str | os.PathLike[str], *, context: bool = True) -> Encoder:
    """Open the encoder of a model directory, or of another program's file of vectors.

    Args:
        path: the model directory, or a file in one of `embedkit.formats.READABLE_FORMATS`.
        context: read the output matrix, too, from a fastText file that training can continue from;
            a question does not need it.

    Raises:
        ModelError: it is missing, damaged, too new, or was written by an unknown encoder.
    """
    check_path(path)
    if is_foreign(Path(path)):
        return _foreign_encoder(path, context=context)
    return _encoder_of(read_model(Path(path)))


def _foreign_encoder(path: str | os.PathLike[str], *, context: bool) -> TrainedEncoder:
    if not context:
        return _encoder_class(vectors := _foreign(path)).from_vectors(vectors)
    from embedkit import formats

    model = formats.read_model(path)
    return _encoder_class(model.vectors).from_vectors(
        model.vectors, settings=model.settings, own=model.own, problem=model.problem
    )


def _encoder_class(vectors: WordVectors) -> type[TrainedEncoder]:
    return SubwordEncoder if isinstance(vectors.subwords, Subwords) else SkipGramEncoder


def is_foreign(path: Path) -> bool:
    """Tell whether *path* exists and is not a model directory.

    Raises:
        ModelError: it cannot be examined.
    """
    with reading_errors(path):
        if path.is_dir():
            return not (path / VOCABULARY).exists() and (path / "tokenizer.json").exists()
        return path.exists()


def _encoder_of(model: StoredModel) -> Encoder:
    name = str(model.config.get("encoder"))
    if name == _VECTORS_ONLY:
        name = (SubwordEncoder if "ngrams" in model.tensors else SkipGramEncoder).name
    if name not in ENCODERS:
        raise ModelError(
            f"{model.path} was written by the encoder {name!r}, which this version does not "
            f"support; it supports {', '.join(ENCODERS)}.",
            hint="Run pip install --upgrade embedkit.",
        )
    try:
        return ENCODERS[name].from_model(model)
    except (ConfigurationError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{model.path} is damaged: its settings are invalid for the encoder {name} ({error}).",
            hint="Train the model again.",
        ) from error


def load(
    path: str | os.PathLike[str], *, encoder: str | None = None, exact: bool = False
) -> WordVectors:
    """Open a model directory, memory-mapped, or read another program's file of vectors.

    Args:
        path: the model directory, or a file in one of `embedkit.formats.READABLE_FORMATS`.
        encoder: "charcode" or "onehot" for that encoder's vectors of the model's words; by default,
            the vectors of the encoder that wrote the model.
        exact: use exact search even if the model has an approximate index.

    Raises:
        ModelError: it is missing, damaged or too new.
        ConfigurationError: the encoder is unknown, or the model contains no trained vectors.
        TypeError: *path* is not a path.
    """
    check_path(path)
    if is_foreign(Path(path)):
        vectors = _foreign(path)
        if encoder in (None, _encoder_class(vectors).name):
            return vectors
        return untrained(str(encoder), vectors.vocabulary).vectors()
    return _vectors_of(read_model(Path(path)), encoder, exact=exact)


def _foreign(path: str | os.PathLike[str]) -> WordVectors:
    from embedkit.formats import read

    start = time.monotonic()
    vectors = read(path)
    seconds = time.monotonic() - start
    if seconds > _SLOW:
        warnings.warn(
            f"reading {path} took {seconds:.0f} s; convert it once with `embedkit convert` to a "
            "model directory, which opens immediately.",
            SlowFormatWarning,
            stacklevel=3,
        )
    return vectors


def _vectors_of(model: StoredModel, name: str | None, *, exact: bool = False) -> WordVectors:
    stored = _encoder_of(model)
    encoder = stored if name in (None, stored.name) else untrained(str(name), stored.vocabulary)
    vectors = encoder.vectors().with_opener(partial(_vectors_of, model, name, exact=exact))
    return vectors.with_exact_search() if exact else vectors


def untrained(name: str, vocabulary: Vocabulary) -> Encoder:
    """Return the encoder called *name* for the words of *vocabulary*.

    Raises:
        ConfigurationError: the encoder needs training, or is unknown.
    """
    encoders: dict[str, type[CharCodeEncoder | OneHotEncoder]] = {
        encoder.name: encoder for encoder in (CharCodeEncoder, OneHotEncoder)
    }
    if name not in encoders:
        raise ConfigurationError(
            f"{name!r} vectors cannot be made from a list of words; choose from "
            f"{', '.join(encoders)}.",
            hint="Load a model that was trained with this encoder.",
        )
    return encoders[name].from_vocabulary(vocabulary)


def compare(words: Sequence[str], trained: Encoder | None = None) -> dict[str, NDArray[np.float64]]:
    """Return the L2 distances between words, (n, n), by the name of the encoder.

    Character codes and one-hot vectors are made from these words; *trained* is added if it is an
    encoder that needs training.

    Raises:
        UnknownWordError: *trained* has no vector for a word.
    """
    return dict(compare_each(words, trained))


def compare_each(
    words: Sequence[str], trained: Encoder | None = None
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield what `compare` returns, one encoder at a time."""
    alone = Vocabulary(list(dict.fromkeys(words)))
    encoders: list[Encoder] = [untrained(name, alone) for name in UNTRAINED_ENCODERS]
    if trained is not None and trained.name not in UNTRAINED_ENCODERS:
        encoders.append(trained)
    for encoder in encoders:
        yield encoder.name, encoder.vectors().distance(words)
