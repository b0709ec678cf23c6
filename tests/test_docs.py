"""The documentation: it builds, it is complete, and its calls of other libraries are right."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import embedkit
from embedkit.cli.app import app
from tests.service.servers import starting

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINES_OF_README = 200


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors."""
    pytest.importorskip("mkdocs", reason="the docs extra is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_site_builds_without_warnings(site: Path) -> None:
    assert (site / "index.html").exists()
    assert (site / "search").is_dir()


def test_site_loads_nothing_from_other_hosts(site: Path) -> None:
    loaded = re.compile(
        r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(https?:)?//"""
        r"""|<link[^>]*rel=["']?(?:stylesheet|preload|preconnect|icon)[^>]*href=["']?(https?:)?//"""
        r"""|@import\s+url\(["']?(https?:)?//""",
    )
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > len(PAGES)
    assert [page.name for page in pages if loaded.search(page.read_text(encoding="utf-8"))] == []


def test_every_public_name_is_in_the_api_reference(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text(encoding="utf-8")
    assert [name for name in embedkit.__all__ if f">{name}<" not in page] == []


# The README


def test_readme_is_short_and_has_the_usual_headings() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LINES_OF_README
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == [
        "Install", "Quickstart", "Python API", "Command line", "Training", "Formats", "Serving",
        "Benchmarks", "Documentation", "Contributing",
    ]  # fmt: skip


def test_first_screen_of_the_readme_installs_and_shows_both_interfaces() -> None:
    screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40])
    assert re.search(r"^pip install ", screen, re.MULTILINE)
    assert re.search(r"^>>> import embedkit$", screen, re.MULTILINE)
    assert re.search(r"^\$ embedkit analogy ", screen, re.MULTILINE)


def test_links_of_the_readme_and_of_the_corpora_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "corpora" / "README.md"):
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        assert [target for target in targets if not (page.parent / target).exists()] == []


# Commands that no test can run as they are: they need other programs, files or a network


def commands_in_sh_blocks() -> list[tuple[str, str]]:
    """Return page and command line of each call of embedkit in an ``sh`` block."""
    found = []
    for page in [ROOT / "README.md", *PAGES]:
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                call = re.search(r"(?:^|-m )embedkit (.*)", line.split("#")[0])
                if call and not call[1].startswith("-"):
                    found.append((str(page.relative_to(ROOT)), call[1].strip()))
    return found


@pytest.mark.parametrize(("page", "line"), commands_in_sh_blocks())
def test_commands_in_sh_blocks_have_these_options(page: str, line: str) -> None:
    command: click.Command = app
    words = shlex.split(line)
    while isinstance(command, click.Group):
        name = words.pop(0)
        assert name in command.commands, f"{page}: embedkit has no command {name}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    given = {word for word in words if re.match(r"--?[a-z]", word)}
    assert given <= known, f"{page}: {line}"


def requests_in_sh_blocks() -> list[str]:
    """Return each call of curl to the service."""
    blocks = [
        block
        for page in [ROOT / "README.md", *PAGES]
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S)
    ]
    calls = [re.findall(r"^curl (?:.*\\\n)*.*", block, re.MULTILINE) for block in blocks]
    return sorted({call for found in calls for call in found if "localhost:8000" in call})


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_requests_in_sh_blocks_are_answered(tmp_path: Path, world_model: Path) -> None:
    (tmp_path / "keys").write_text("a-key-of-the-tests-0123456789\n")
    calls = requests_in_sh_blocks()
    assert len(calls) >= 2
    with starting() as start:
        for keys in (False, True):
            options = ["--model", f"news={world_model}"]
            server = start(
                world_model, *options, *(["--api-key-file", tmp_path / "keys"] if keys else [])
            )
            for call in calls:
                if ("keys" in call) == keys:
                    line = re.sub(r"(http://)?localhost:8000", server.url, call)
                    done = subprocess.run(
                        ["bash", "-c", f"{line} --silent --show-error --fail"],
                        cwd=tmp_path, capture_output=True, text=True, check=False,
                    )  # fmt: skip
                    assert done.returncode == 0, call + done.stderr
                    assert "error" not in done.stdout


def test_figures_of_the_benchmarks_have_their_commands() -> None:
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[2:]
    measured = [section for section in sections if re.search(r"\|\s*-+:", section)]
    assert len(measured) > 5
    for section in measured:
        assert re.search(r"^(scripts/bench|embedkit |torchrun )", section, re.MULTILINE), section


# Coming from gensim, coming from fastText


def rows(text: str, left: str, right: str = "embedkit") -> list[tuple[str, str]]:
    """Return the cells of the tables whose first two headings are *left* and *right*."""
    found = []
    for table in re.findall(
        rf"^\| {left} \| {right} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE
    ):
        for line in table.splitlines():
            found.append(
                tuple(cell.strip().strip("`") for cell in line.strip("|").split(" | ")[:2])
            )
    assert found
    return found


def plain(value: Any) -> Any:
    """Return a result in a form that both libraries' results have."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        # fastText puts the score first
        ordered = [pair if isinstance(pair[0], str) else pair[::-1] for pair in value]
        return [word for word, _ in ordered], np.array([score for _, score in ordered])
    return value


def assert_same(theirs: Any, ours: Any, row: str) -> None:
    theirs, ours = plain(theirs), plain(ours)
    if isinstance(theirs, tuple) and isinstance(theirs[0], list):
        assert theirs[0] == ours[0], row
        theirs, ours = theirs[1], ours[1]
    if isinstance(theirs, bool | str | list):
        assert theirs == ours, row
    else:
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-4, atol=1e-5, err_msg=row)


def run(source: str, names: dict[str, Any]) -> Any:
    """Run one cell of a table; return its value if it is an expression."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            tree = ast.parse(source, mode="eval")
        except SyntaxError:
            exec(compile(source, source, "exec"), names)
            return None
        return eval(compile(tree, source, "eval"), names)


def compare_calls(page: str, library: str, names: dict[str, Any]) -> None:
    text = (DOCS / "migrate" / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        run(block, names)
    compared = 0
    for theirs, ours in rows(text, library):
        if theirs.startswith("fasttext "):
            continue  # a command line
        their_result, our_result = run(theirs, names), run(ours, names)
        if their_result is not None and our_result is not None:
            assert_same(their_result, our_result, f"{theirs}  |  {ours}")
            compared += 1
    assert compared >= 7


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_calls_of_gensim_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pytest.importorskip("gensim.models")
    from gensim.models.word2vec import LineSentence

    from embedkit import formats

    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpora").symlink_to(ROOT / "corpora")
    (tmp_path / "text.txt").write_text("she left new york\nhe saw new york\nnew york is big\n")
    (tmp_path / "pairs.tsv").write_text("rome\tparis\t9\nrome\tcopper\t1\nking\tqueen\t8\n")
    names = {
        "KeyedVectors": models.KeyedVectors, "Phrases": models.Phrases,
        "LineSentence": LineSentence, "formats": formats,
    }  # fmt: skip
    compare_calls("gensim.md", "gensim", names)


def test_parameters_of_gensim_exist() -> None:
    models = pytest.importorskip("gensim.models")
    text = (DOCS / "migrate" / "gensim.md").read_text(encoding="utf-8")
    theirs, ours = zip(*rows(text, "Word2Vec", "SkipGramEncoder"), strict=True)
    assert set(theirs) <= set(inspect.signature(models.Word2Vec.__init__).parameters)
    assert set(ours) <= {field.name for field in fields(embedkit.TrainingConfig)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_calls_of_fasttext_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fasttext")
    from embedkit.classification import read_labeled

    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpora").symlink_to(ROOT / "corpora")
    lines = (ROOT / "corpora" / "helpdesk.tsv").read_text().splitlines()[1:]
    pairs = [line.split("\t") for line in lines]
    (tmp_path / "train.txt").write_text(
        "".join(f"__label__{label} {text}\n" for text, label in pairs)
    )
    compare_calls("fasttext.md", "fastText", {"read_labeled": read_labeled})


def test_parameters_of_fasttext_exist() -> None:
    fasttext = pytest.importorskip("fasttext")
    text = (DOCS / "migrate" / "fasttext.md").read_text(encoding="utf-8")
    theirs, ours = zip(*rows(text, "train_unsupervised", "SubwordEncoder"), strict=True)
    assert set(theirs) <= set(fasttext.FastText.unsupervised_default)
    assert set(ours) <= {field.name for field in fields(embedkit.TrainingConfig)}
