"""The examples of README.md and docs/ print what the pages show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor

from tests.scripts.conftest import load_script

ROOT = Path(__file__).parent.parent
EXAMPLES = re.compile(r"^ *```(console|pycon|python)$", re.MULTILINE)
SLOW = ("docs/guides/classification.md", "docs/guides/pictures.md")
PAGES = [
    str(page.relative_to(ROOT))
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if EXAMPLES.search(page.read_text())
]
OTHER_LIBRARIES = {"docs/migrate/gensim.md": "gensim", "docs/migrate/fasttext.md": "fasttext"}


@pytest.fixture(scope="session")
def trained(shared_folder: Path) -> Path:
    """A folder for the models that most pages train."""
    folder = shared_folder / "trained"
    folder.mkdir(exist_ok=True)
    return folder


def run(page: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "readme.py", *options, page],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page for page in PAGES],
)
def test_examples_print_what_the_page_shows(
    page: str, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: a new one would import everything again for each page."""
    if page in OTHER_LIBRARIES:
        pytest.importorskip(OTHER_LIBRARIES[page])
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.delenv("EMBEDKIT_MODEL", raising=False)
    get_reusable_executor().shutdown()  # processes of another test, which work in its folder
    with warnings.catch_warnings():
        set_default_warnings()
        same = load_script("readme.py").check(ROOT / page, trained, write=False)
    assert same, "".join(capsys.readouterr())


def set_default_warnings() -> None:
    """Set the filters that Python has outside the tests."""
    warnings.resetwarnings()
    for category in (ImportWarning, PendingDeprecationWarning, DeprecationWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")


@pytest.mark.parametrize(
    ("example", "difference"),
    [
        ("```console\n$ echo rome\nparis\n```\n", "-paris\n+rome"),
        ("```pycon\n>>> 1 + 1 == 2\nFalse\n```\n", "-False\n+True"),
        ("```console\n$ echo '   1  rome  0.5'\n   1  oslo  0.5\n```\n", "- N oslo N"),
        ("```console\n$ embedkit --version\n```\n", "+embedkit, version"),
        (
            "```pycon\n>>> 1 / 0\nTraceback (most recent call last):\n    ...\nZero\n```\n",
            "+ZeroDiv",
        ),
        ('=== "Tab"\n\n    ```console\n    $ echo rome\n    paris\n    ```\n', "-paris\n+rome"),
    ],
    ids=["command", "python", "first answer", "missing output", "error", "indented"],
)
def test_wrong_example_is_found(example: str, difference: str, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(example)
    done = run(readme)
    assert done.returncode == 1
    assert difference in done.stdout


def test_python_block_that_fails_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nimport embedkit\n\nembedkit.no_such_name\n```\n")
    done = run(page)
    assert done.returncode == 1
    assert "No embedkit attribute no_such_name" in done.stderr


def test_output_is_written_in_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '=== "Tab"\n\n    ```console\n    $ echo rome\n    ```\n\n'
        "```python\nx = 2\n```\n\n```pycon\n>>> x + 1\n>>> if x:\n...     x\n>>> x\n```\n"
    )
    assert run(page, "--write").returncode == 0
    assert page.read_text() == (
        '=== "Tab"\n\n    ```console\n    $ echo rome\n    rome\n    ```\n\n'
        "```python\nx = 2\n```\n\n```pycon\n>>> x + 1\n3\n"
        ">>> if x:\n...     x\n2\n>>> x\n2\n```\n"
    )


def test_every_command_is_shown() -> None:
    from embedkit.cli.app import app

    text = "\n".join((ROOT / page).read_text() for page in PAGES)
    assert [
        name
        for name in app.commands
        if name not in {"help", "version", "completion"}
        and not re.search(rf"^ *\$ embedkit {name}\b", text, re.MULTILINE)
    ] == []
