"""The choices of reading edges, without numeric imports."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SEPARATORS"]

SEPARATORS: Mapping[str, str | None] = {"tab": "\t", "comma": ",", "space": None}
"""Separators by name, in the order in which they are tried; None is any run of spaces and tabs."""
