"""Three ways from words to vectors, behind one interface."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from embedkit.encoders.base import Encoder, NotFittedError
from embedkit.encoders.charcode import CharCodeEncoder
from embedkit.encoders.onehot import OneHotEncoder
from embedkit.encoders.skipgram import SkipGramEncoder
from embedkit.errors import ModelError
from embedkit.store import read_model
from embedkit.vectors import WordVectors

__all__ = [
    "ENCODERS",
    "CharCodeEncoder",
    "Encoder",
    "NotFittedError",
    "OneHotEncoder",
    "SkipGramEncoder",
    "load",
    "load_encoder",
]

ENCODERS: Mapping[str, type[Encoder]] = {
    encoder.name: encoder for encoder in (CharCodeEncoder, OneHotEncoder, SkipGramEncoder)
}
_VECTORS_ONLY = "vectors"  # what WordVectors.save writes: no encoder, but its words and rows


def load_encoder(path: str | os.PathLike[str]) -> Encoder:
    """Open a model directory as the encoder that wrote it.

    Raises:
        ModelError: it is missing, damaged, too new, or of an encoder that is not known here.
    """
    model = read_model(Path(path))
    name = model.config.get("encoder")
    if name == _VECTORS_ONLY:
        name = SkipGramEncoder.name
    if name not in ENCODERS:
        raise ModelError(
            f"{path} is of the encoder {name!r}; known are {', '.join(ENCODERS)}. "
            "Remedy: pip install --upgrade embedkit."
        )
    return ENCODERS[name].from_model(model)


def load(path: str | os.PathLike[str]) -> WordVectors:
    """Open a model directory and return its words and vectors, memory-mapped.

    Raises:
        ModelError: it is missing, damaged or too new.
    """
    return load_encoder(path).vectors()
