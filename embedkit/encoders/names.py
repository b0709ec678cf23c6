"""Names of the encoders, as the command line and model directories have them."""

from __future__ import annotations

__all__ = ["ENCODER_NAMES", "UNTRAINED_ENCODERS"]

UNTRAINED_ENCODERS = ("charcode", "onehot")
"""Encoders that need only a list of words."""

ENCODER_NAMES = (*UNTRAINED_ENCODERS, "skipgram", "subword")
"""All encoders."""
