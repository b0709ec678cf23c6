"""Names of encoders."""

from __future__ import annotations

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import ENCODERS, untrained
from embedkit.encoders.names import ENCODER_NAMES, UNTRAINED_ENCODERS


def test_there_is_an_encoder_for_each_name() -> None:
    assert tuple(ENCODERS) == ENCODER_NAMES
    for name in UNTRAINED_ENCODERS:
        assert untrained(name, Vocabulary(["a"])).name == name
