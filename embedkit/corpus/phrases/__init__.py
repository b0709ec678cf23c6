"""Phrases: word sequences that occur together more often than by chance, joined into one token.

corpus = Corpus.read("wiki.txt")
phrases = Phrases.learn(corpus, passes=2)
phrases.apply(corpus)                          # a corpus that contains new_york
phrases.apply(["she", "left", "new", "york"])  # ['she', 'left', 'new_york']

Names are imported when they are first used: the settings need no NumPy.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
