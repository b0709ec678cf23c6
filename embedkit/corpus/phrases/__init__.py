"""Phrases: words that come together more often than chance has it, joined to one word.

corpus = Corpus.read("wiki.txt")
phrases = Phrases.learn(corpus, passes=2)
phrases.apply(corpus)                          # a corpus with new_york in it
phrases.apply(["she", "left", "new", "york"])  # ['she', 'left', 'new_york']
"""

from embedkit.corpus.phrases.phrases import Phrases
from embedkit.corpus.phrases.settings import (
    CONNECTORS,
    DEFAULT_THRESHOLDS,
    MOST_PASSES,
    PhraseSettings,
)
from embedkit.corpus.phrases.storage import Phrase

__all__ = [
    "CONNECTORS",
    "DEFAULT_THRESHOLDS",
    "MOST_PASSES",
    "Phrase",
    "PhraseSettings",
    "Phrases",
]
