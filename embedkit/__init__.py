"""embedkit turns words into vectors and answers questions about them.

    import embedkit

    encoder = embedkit.SkipGramEncoder(dimension=100).fit("corpus.txt")
    encoder.save("model.embedkit")
    vectors = embedkit.load("model.embedkit")
    vectors.analogy("paris", "france", "italy")

Names are imported when they are first used: `import embedkit` alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as typing has it, whose import takes longer than all else here
if TYPE_CHECKING:
    from typing import Any

    from embedkit.algebra import Neighbor
    from embedkit.classification import TextClassifier
    from embedkit.corpus import Corpus
    from embedkit.encoders import (
        CharCodeEncoder,
        Encoder,
        OneHotEncoder,
        SkipGramEncoder,
        load,
        load_encoder,
    )
    from embedkit.errors import EmbedkitError, UnknownWordError
    from embedkit.heads import DenseClassifier, DenseRegressor
    from embedkit.phrases import Phrases
    from embedkit.text import tokenize
    from embedkit.training.config import TrainingConfig
    from embedkit.vectors import WordVectors
    from embedkit.vocabulary import Vocabulary

__version__ = "0.1.0"

__all__ = [
    "CharCodeEncoder",
    "Corpus",
    "DenseClassifier",
    "DenseRegressor",
    "EmbedkitError",
    "Encoder",
    "Neighbor",
    "OneHotEncoder",
    "Phrases",
    "SkipGramEncoder",
    "TextClassifier",
    "TrainingConfig",
    "UnknownWordError",
    "Vocabulary",
    "WordVectors",
    "load",
    "load_encoder",
    "tokenize",
]

_ROOMS = {
    "CharCodeEncoder": "encoders",
    "Corpus": "corpus",
    "DenseClassifier": "heads",
    "DenseRegressor": "heads",
    "EmbedkitError": "errors",
    "Encoder": "encoders",
    "Neighbor": "algebra",
    "OneHotEncoder": "encoders",
    "Phrases": "phrases",
    "SkipGramEncoder": "encoders",
    "TextClassifier": "classification",
    "TrainingConfig": "training.config",
    "UnknownWordError": "errors",
    "Vocabulary": "vocabulary",
    "WordVectors": "vectors",
    "load": "encoders",
    "load_encoder": "encoders",
    "tokenize": "text",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'embedkit' has no attribute {name!r}")
    return getattr(import_module(f"embedkit.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
