"""The choices of reading edges, without numeric imports."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SEPARATORS"]

SEPARATORS: Mapping[str, str | None] = {"tab": "\t", "comma": ",", "space": None}
"""Separators of columns by name, in the order that detection tries; None is white space."""
