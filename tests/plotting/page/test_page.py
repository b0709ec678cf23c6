"""The HTML page: one script of plain modules, allowed by its hash alone."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter

import numpy as np
import pytest

from embedkit.plotting.page import _FOLDER, _MODULES, SHARED_MODULES, render_page
from embedkit.plotting.word_map import WordMap


@pytest.fixture(scope="module")
def page() -> str:
    places = np.array([[0.0, 1.0], [2.0, 3.0]])
    words = ("king", "</script>")
    return render_page(WordMap(words, (7, 3), places, ((0, 1),), 2, "pca", (0.5, 0.25)))


def test_the_policy_allows_exactly_the_script_and_the_style_of_the_page(page: str) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found is not None
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert script is not None
    assert style is not None
    digests = [
        base64.b64encode(hashlib.sha256(part[1].encode()).digest()).decode()
        for part in (style, script)
    ]
    assert found[1].replace("&#x27;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'"
    )
    assert page.count("</script>") == 2, "a word has ended an element"


def test_the_script_is_all_modules_without_imports_and_exports(page: str) -> None:
    assert not re.search(r"^(import|export)\b", page, re.MULTILINE)
    declared = Counter(
        re.findall(r"^(?:const|let|class|function|async function) (\w+)", page, re.MULTILINE)
    )
    assert {"PlotMap", "View", "Overlay", "Combobox", "listen", "make"} <= set(declared)
    assert set(declared.values()) == {1}


def test_each_module_imports_only_earlier_ones() -> None:
    for number, name in enumerate(_MODULES):
        source = (_FOLDER / f"{name}.js").read_text()
        for imported in re.findall(r'from "\./(.*)\.js"', source):
            path = f"shared/{imported.removeprefix('shared/')}"
            assert path in _MODULES[:number]
    shared = {f"shared/{path.stem}" for path in SHARED_MODULES.iterdir()}
    assert shared == set(_MODULES[:-1])
