"""Colors that people can read and tell apart, labels, and fonts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib import colors

from embedkit.plotting.theme import DARK, LIGHT, Theme, families, readable

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
# Machado, Oliveira and Fernandes 2009: what full protanopia and deuteranopia see, in linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def linear(color: str) -> np.ndarray:
    """Return linear RGB (WCAG 2.2, relative luminance)."""
    srgb = np.array(colors.to_rgb(color))
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def luminance(rgb: np.ndarray) -> float:
    return float(rgb @ [0.2126, 0.7152, 0.0722])


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.2, from 1 to 21."""
    darker, lighter = sorted(luminance(linear(color)) for color in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.01)


@THEMES
def test_text_and_marks_stand_out_from_the_paper(theme: Theme) -> None:
    for text in (theme.ink, theme.muted):
        assert contrast(text, theme.paper) >= 4.5  # WCAG 2.2, 1.4.3
    for mark in (theme.start, theme.end, *theme.curves):
        assert contrast(mark, theme.paper) >= 3  # 1.4.11


@THEMES
@pytest.mark.parametrize("sight", [None, *BLINDNESS])
def test_starts_and_ends_differ_for_the_color_blind(theme: Theme, sight: str | None) -> None:
    seen = np.eye(3) if sight is None else np.array(BLINDNESS[sight])
    start, end = (np.clip(seen @ linear(color), 0, 1) for color in (theme.start, theme.end))
    assert np.abs(start - end).max() > 0.2


@THEMES
def test_curves_have_different_colors(theme: Theme) -> None:
    for first, second in combinations(theme.curves, 2):
        assert np.linalg.norm(linear(first) - linear(second)) > 0.15


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("new york", "new york"),
        ("a\tb\nc", "a\\tb\\nc"),
        ("\u202eevil\ufeff", "evil"),
        ("\u0646\u200c\u0647", "\u0646\u200c\u0647"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
        ("a\u00a0b", "a\\xa0b"),
    ],
)
def test_labels_are_one_readable_line(word: str, label: str) -> None:
    assert readable(word) == label


def test_words_in_latin_need_only_the_default_font() -> None:
    assert families(["cat", "café", "naïve"]) == (["DejaVu Sans"], [])


def test_characters_without_a_font_are_named() -> None:
    unassigned = "\U000effff"
    chosen, missing = families(["cat", unassigned])
    assert (chosen[0], missing) == ("DejaVu Sans", [unassigned])
