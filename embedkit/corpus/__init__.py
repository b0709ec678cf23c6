"""Text in, token ids out: tokenizers, the vocabulary, and the corpus; `phrases` and `walks`."""

from __future__ import annotations

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.tokenizers import tokenize
from embedkit.corpus.vocabulary import Vocabulary

__all__ = ["Corpus", "Vocabulary", "tokenize"]
