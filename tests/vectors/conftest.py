"""The vectors of `samples` in gensim."""

from __future__ import annotations

import pytest
from gensim.models import KeyedVectors

from tests.vectors.samples import DIMENSION, MATRIX, WORDS


@pytest.fixture(scope="session")
def keyed() -> KeyedVectors:
    keyed = KeyedVectors(DIMENSION)
    keyed.add_vectors(WORDS, MATRIX)
    return keyed
