"""Words x matrix, and every question asked of it."""

from __future__ import annotations

from embedkit.vectors.scores import Neighbor
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Neighbor", "WordVectors"]
