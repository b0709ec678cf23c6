"""bench_languages: texts of other languages, offline."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.conftest import load_script

PAGE = """<html><head><title>Súgó</title><style>p {{}}</style></head><body><nav>Menü</nav>
<h1>A <b>táblázat</b> cellái</h1><p>A cellák {text} &amp; számokat
tartalmaznak.</p><pre>kód()</pre><table><tr><td>Sor</td></tr></table></body></html>"""


@pytest.fixture(scope="module")
def script() -> Any:
    return load_script("bench_languages")


def test_paragraphs_are_distinct_and_without_code(script: Any, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE.format(text="<i>betű</i>ket"))
    (tmp_path / "b.html").write_text(PAGE.format(text="szöveget"))
    assert script.paragraphs(tmp_path) == [
        "A táblázat cellái",
        "A cellák betűket & számokat tartalmaznak.",
        "Sor",
        "A cellák szöveget & számokat tartalmaznak.",
    ]


def test_words_are_lower_case_without_digits_and_punctuation(script: Any) -> None:
    assert script.words_of(["A cellák, 3 Űrlap!", "42"], segment=False) == ["a cellák űrlap"]


@pytest.mark.filterwarnings("ignore")
def test_jieba_segments_chinese(script: Any) -> None:
    pytest.importorskip("jieba", reason="jieba is not installed")
    [line] = script.words_of(["选择一个单元格。"], segment=True)
    assert line.split() == ["选择", "一个", "单元格"]


def test_a_debian_package_is_unpacked(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(command: list[str], *, cwd: Path, check: bool, stdout: int) -> None:
        if command[0] == "apt-get":
            (cwd / "help-hu_4%3a7.4-1_all.deb").touch()
        else:
            (cwd / "page.html").write_text(command[2])

    monkeypatch.setattr(subprocess, "run", fake)
    assert script.unpacked("help-hu", tmp_path / "text") == "help-hu 4:7.4-1"
    assert (tmp_path / "text" / "page.html").read_text() == "help-hu_4%3a7.4-1_all.deb"


def test_an_unknown_source_names_the_languages(run_script: Any) -> None:
    done = run_script("bench_languages", "xx", status=1)
    assert "xx is neither a file nor one of hu, zh." in done.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_text_file(run_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    pytest.importorskip("fasttext", reason="fastText is not installed")
    pytest.importorskip("snowballstemmer", reason="snowballstemmer is not installed")
    stems = [f"{a}{b}{c}ark" for a in "bdfgk" for b in "aeiou" for c in "lmnr"]
    text = tmp_path / "text.txt"
    text.write_text(
        "".join(
            f"{stem} {stem}s {stem}ing near {stems[(number + 1) % len(stems)]}ed {turn}\n"
            for turn in range(12)
            for number, stem in enumerate(stems)
        )
    )
    results = run_json(
        "bench_languages", text, "--stemmer", "english", "--dimension", 8, "--epochs", 2,
        "--workers", 1, "--min-ngram", 3, "--max-ngram", 5,
    )  # fmt: skip
    names = [row["method"] for row in results["methods"]]
    assert names == ["skip-gram, nearest spelling", "fastText", "embedkit --encoder subword"]
    assert all(row["rare_words"] > 0 for row in results["methods"])
    assert all(0 <= row["same_stem"] <= 1 for row in results["methods"])
