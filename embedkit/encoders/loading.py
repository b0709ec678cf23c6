"""Three ways from words to vectors, behind one interface."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders.base import Encoder, NotFittedError
from embedkit.encoders.charcode import CharCodeEncoder
from embedkit.encoders.onehot import OneHotEncoder
from embedkit.encoders.skipgram import SkipGramEncoder
from embedkit.errors import ConfigurationError, ModelError, SlowFormatWarning
from embedkit.storage.model_directory import StoredModel, read_model
from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "ENCODERS",
    "CharCodeEncoder",
    "Encoder",
    "NotFittedError",
    "OneHotEncoder",
    "SkipGramEncoder",
    "compare",
    "is_foreign",
    "load",
    "load_encoder",
    "untrained",
]

ENCODERS: Mapping[str, type[Encoder]] = {
    encoder.name: encoder for encoder in (CharCodeEncoder, OneHotEncoder, SkipGramEncoder)
}
_ALONE = (CharCodeEncoder.name, OneHotEncoder.name)  # what needs nothing but words
_SLOW = 2.0  # seconds
_VECTORS_ONLY = "vectors"  # what WordVectors.save writes: no encoder, but its words and rows


def load_encoder(path: str | os.PathLike[str]) -> Encoder:
    """Open a model directory as the encoder that wrote it, or another program's file.

    Raises:
        ModelError: it is missing, damaged, too new, or of an encoder that is not known here.
    """
    if is_foreign(Path(path)):
        return SkipGramEncoder.from_vectors(load(path))
    return _encoder_of(read_model(Path(path)))


def is_foreign(path: Path) -> bool:
    """Tell whether something is there that another program wrote."""
    if path.is_dir():
        return not (path / "vocabulary.arrow").exists() and (path / "tokenizer.json").exists()
    return path.exists()


def _encoder_of(model: StoredModel) -> Encoder:
    name = str(model.config.get("encoder"))
    if name == _VECTORS_ONLY:
        name = SkipGramEncoder.name
    if name not in ENCODERS:
        raise ModelError(
            f"{model.path} is of the encoder {name!r}; known are {', '.join(ENCODERS)}.",
            hint="pip install --upgrade embedkit.",
        )
    try:
        return ENCODERS[name].from_model(model)
    except (ConfigurationError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{model.path} is damaged: its settings make no {name} encoder ({error}).",
            hint="Train the model again.",
        ) from error


def load(
    path: str | os.PathLike[str], *, encoder: str | None = None, exact: bool = False
) -> WordVectors:
    """Open a model directory, memory-mapped, or read another program's file of vectors.

    Args:
        path: the model directory, or a file in one of `embedkit.formats.READABLE_FORMATS`.
        encoder: "charcode" or "onehot" gives that encoder's vectors of the model's words; by
            default the vectors are those of the encoder that wrote the model.
        exact: answer questions by exact search, also where the model has an approximate index.

    Raises:
        ModelError: it is missing, damaged or too new.
        ConfigurationError: there is no such encoder, or the model holds no trained vectors.
    """
    if is_foreign(Path(path)):
        vectors = _foreign(path)
        if encoder in (None, SkipGramEncoder.name):
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
            f"reading {path} takes {seconds:.0f} s each time; what `embedkit convert` makes of it "
            "opens at once.",
            SlowFormatWarning,
            stacklevel=3,
        )
    return vectors


def _vectors_of(model: StoredModel, name: str | None, *, exact: bool = False) -> WordVectors:
    stored = _encoder_of(model)
    encoder = stored if name in (None, stored.name) else untrained(str(name), stored.vocabulary)
    vectors = encoder.vectors()
    vectors.opener = partial(_vectors_of, model, name, exact=exact)
    if exact:
        vectors.approximate = None
    return vectors


def untrained(name: str, vocabulary: Vocabulary) -> Encoder:
    """Return an encoder that needs nothing but words.

    Raises:
        ConfigurationError: the encoder called *name* has to be trained, or there is none.
    """
    encoders: dict[str, type[CharCodeEncoder | OneHotEncoder]] = {
        encoder.name: encoder for encoder in (CharCodeEncoder, OneHotEncoder)
    }
    if name not in encoders:
        raise ConfigurationError(
            f"{name!r} vectors cannot be made from words alone; {' and '.join(encoders)} can.",
            hint="Name a model that was trained with it.",
        )
    return encoders[name].from_vocabulary(vocabulary)


def compare(words: Sequence[str], trained: Encoder | None = None) -> dict[str, NDArray[np.float64]]:
    """Return the L2 distances between words, (n, n), as each encoder sees them, by its name.

    Character codes and one-hot vectors are made of these words alone; those of *trained* are there
    if it is an encoder that has to be trained.

    Raises:
        UnknownWordError: *trained* has no vector for a word.
    """
    alone = Vocabulary(list(dict.fromkeys(words)))
    encoders: list[Encoder] = [untrained(name, alone) for name in _ALONE]
    if trained is not None and trained.name not in _ALONE:
        encoders.append(trained)
    return {encoder.name: encoder.vectors().distance(words) for encoder in encoders}
