"""Colours and letters of the pictures.

Two colours mean something, where arrows begin and where they end. They differ in lightness and on
the axis from blue to orange, which every kind of colour blindness leaves, and their marks differ in
shape as well.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from embedkit.errors import ConfigurationError

__all__ = ["DARK", "LIGHT", "Theme", "families", "matplotlib_or_error", "readable"]

_LONGEST = 40  # characters of a label
_FAMILY = "DejaVu Sans"  # comes with matplotlib, so a picture is the same on every machine
_JOINERS = "\u200c\u200d"  # they make ligatures or keep letters apart, and are not seen


@dataclass(frozen=True)
class Theme:
    """Colours, as CSS and matplotlib write them.

    Attributes:
        paper, ink, muted, line: background, labels, axes and captions, arrows.
        start, end: where an arrow begins and ends; a word without an arrow has the second.
        cloud: words that were not named.
        runs: of curves (Okabe and Ito 2008, without those that are too light for the paper).
    """

    paper: str
    ink: str
    muted: str
    line: str
    start: str
    end: str
    cloud: str
    runs: tuple[str, ...]


LIGHT = Theme(
    paper="#fbf9f4", ink="#1d1b18", muted="#655f56", line="#a1998a",
    start="#c4500f", end="#17608f", cloud="#b3ab9c",
    runs=("#17608f", "#c4500f", "#007a5e", "#a8577f", "#1d1b18"),
)  # fmt: skip
DARK = Theme(
    paper="#16171b", ink="#ece8e1", muted="#a7a198", line="#7b7d88",
    start="#ff9a5c", end="#7fc2f2", cloud="#5f616c",
    runs=("#7fc2f2", "#ff9a5c", "#3fcfa4", "#e79cc4", "#ece8e1"),
)  # fmt: skip


def matplotlib_or_error() -> Any:
    """Return matplotlib.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import matplotlib as mpl
        import matplotlib.figure
        import matplotlib.style
    except ImportError as error:
        raise ConfigurationError(
            "a picture needs matplotlib.", hint="pip install 'embedkit[viz]'; .html does without."
        ) from error
    return mpl


def readable(word: str) -> str:
    """Return a word as a label shows it: on one line, without what is invisible, not too long."""
    shown = "".join(
        letter if letter == " " or letter.isprintable() else _escape(letter) for letter in word
    )
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _escape(letter: str) -> str:
    # A joiner belongs to the word, as in Persian and in emoji; a new line does not.
    if unicodedata.category(letter) == "Cf":
        return letter if letter in _JOINERS else ""
    return letter.encode("unicode_escape").decode()


def families(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Find fonts for texts.

    Returns:
        the font families that have their characters, the usual one first; and those of the texts
        that no font of this machine can write.
    """
    from matplotlib import font_manager

    texts = list(texts)
    chosen = [_FAMILY]
    letters = {letter for text in texts for letter in text} - set(_JOINERS)
    missing = _missing(font_manager.findfont(_FAMILY), letters)
    others = _regular_fonts() if missing else {}
    while missing and others:  # the family that has most of them, then most of the rest
        left = {name: _missing(path, missing) for name, path in others.items()}
        best = min(left, key=lambda name: len(left[name]))
        if len(left[best]) == len(missing):
            break
        chosen.append(best)
        missing = left[best]
        del others[best]
    return chosen, [text for text in texts if missing & set(text)]


def _regular_fonts() -> dict[str, str]:
    """Return the files of upright fonts of usual weight by their families, in order."""
    from matplotlib.font_manager import fontManager

    return {
        font.name: font.fname
        for font in sorted(fontManager.ttflist, key=lambda font: (font.name, font.fname))
        if font.style == "normal" and font.weight in (400, "normal", "regular", "book")
        # It comes with matplotlib, and has a box for everything.
        and font.name != _FAMILY and not font.name.startswith("Last Resort")
    }  # fmt: skip


def _missing(path: str, letters: set[str]) -> set[str]:
    return {letter for letter in letters if ord(letter) not in _characters(path)}


@cache
def _characters(path: str) -> frozenset[int]:
    """Return the code points that a font has."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except RuntimeError:  # a file that is no font after all
        return frozenset()
