"""Words to vectors behind one interface: character codes, one-hot, and skip-gram."""

from __future__ import annotations

from embedkit.encoders.base import Encoder, NotFittedError
from embedkit.encoders.charcode import CharCodeEncoder
from embedkit.encoders.loading import ENCODERS, compare, is_foreign, load, load_encoder, untrained
from embedkit.encoders.onehot import OneHotEncoder
from embedkit.encoders.skipgram import SkipGramEncoder

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
