"""The frame of all pictures: sizes, titles, captions, files."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from embedkit.errors import ConfigurationError, OutputExistsError
from embedkit.plotting.figures import (
    FIGURE_FORMATS,
    check_suffix,
    new_figure,
    plain_settings,
    save,
    write_caption,
)
from embedkit.plotting.theme import DARK, LIGHT

FAMILY = ["DejaVu Sans"]


def test_suffixes_are_recognized_in_any_case() -> None:
    assert check_suffix(Path("a.PNG"), FIGURE_FORMATS) == ".png"
    with pytest.raises(ConfigurationError, match=r"unknown picture format '' of a") as caught:
        check_suffix(Path("a"), FIGURE_FORMATS)
    assert caught.value.hint == "Choose from .png, .svg, .pdf."


@pytest.mark.parametrize("size", [(400, 400), (1000, 700)])
def test_a_picture_has_the_size_in_pixels_and_the_paper_of_its_theme(
    size: tuple[int, int], tmp_path: Path
) -> None:
    for theme in (LIGHT, DARK):
        save(new_figure(size, theme, "", FAMILY), tmp_path / "a.png", overwrite=True)
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.size == size
            corner = "#{:02x}{:02x}{:02x}".format(*picture.convert("RGB").getpixel((0, 0)))
        assert corner == theme.paper


@pytest.mark.parametrize("size", [(399, 900), (900, 10_001)])
def test_sizes_out_of_range_are_rejected(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match=f"got {size[0]} x {size[1]}"):
        new_figure(size, LIGHT, "", FAMILY)


def test_titles_and_captions_are_inside_the_picture_and_clear_of_the_axes() -> None:
    axes = new_figure((800, 600), LIGHT, "$a$\nb", FAMILY)
    write_caption(axes, "words " * 60, LIGHT)
    title, caption = axes.figure.texts
    assert title.get_text() == "$a$\\nb"
    for text in (title, caption):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= 800
        assert box.y0 >= 0
        assert box.y1 <= 600
        assert not box.overlaps(axes.get_window_extent())
    assert caption.get_fontsize() < 8.5


def test_a_short_caption_keeps_its_size() -> None:
    axes = new_figure((800, 600), LIGHT, "", FAMILY)
    write_caption(axes, "a few words", LIGHT)
    assert axes.figure.texts[0].get_fontsize() == 8.5


@pytest.mark.parametrize("suffix", FIGURE_FORMATS)
def test_files_are_reproducible_and_not_replaced(suffix: str, tmp_path: Path) -> None:
    with plain_settings():
        for name in ("a", "b"):
            save(new_figure((500, 400), LIGHT, "t", FAMILY), tmp_path / (name + suffix),
                 overwrite=False)  # fmt: skip
        first, second = (tmp_path / (name + suffix) for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
        with pytest.raises(OutputExistsError):
            save(new_figure((500, 400), LIGHT, "", FAMILY), first, overwrite=False)
    assert first.read_bytes() == second.read_bytes()


def test_settings_of_the_user_are_ignored_and_restored() -> None:
    with mpl.rc_context({"font.size": 33, "svg.fonttype": "path"}):
        with plain_settings():
            assert mpl.rcParams["font.size"] == 10
            assert mpl.rcParams["svg.fonttype"] == "none"
        assert (mpl.rcParams["font.size"], mpl.rcParams["svg.fonttype"]) == (33, "path")
