"""A small trained model that many tests use, and functions that run the command line."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from embedkit.encoders import SkipGramEncoder

Command = Callable[..., "subprocess.CompletedProcess[str]"]

_NOBODY = 65534
WORLD = Path(__file__).parents[1] / "corpora" / "world.txt"
PAIRS = [("paris", "france"), ("rome", "italy"), ("berlin", "germany"), ("madrid", "spain")]


def sentences(count: int = 4_000) -> list[list[str]]:
    """Return sentences about capitals and countries, with words for each pair and for each role."""
    random = np.random.default_rng(0)
    found = []
    for number in range(count):
        capital, country = PAIRS[number % len(PAIRS)]
        theme = [f"{country}{n}" for n in random.integers(0, 5, 3)]
        word, role = [(capital, "mayor"), (country, "border")][int(random.integers(0, 2))]
        found.append([*theme, word, f"{role}{random.integers(0, 3)}"])
    return found


def pytest_configure() -> None:
    """Let tests signal processes even if nohup or a background shell makes them ignore signals.

    What a process ignores, its children ignore; what it handles, they do not.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A folder of a user to whom permissions apply, as whom the test runs; root becomes nobody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            folder.chmod(0o755)
            return
        os.chown(folder, _NOBODY, _NOBODY)
        os.setegid(_NOBODY)
        os.seteuid(_NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(0)
            os.setegid(0)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, the same for all processes of a parallel run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """Let the first process that needs *path* make it; the others wait."""
    with path.with_name(f"{path.name}.once").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make(path)
    return path


@pytest.fixture(scope="session")
def model(shared_folder: Path) -> Path:
    """A skip-gram model trained on `sentences`; tests must not change it."""

    def train(path: Path) -> None:
        SkipGramEncoder(dimension=24, epochs=10, sample=0, workers=1).fit(sentences()).save(path)

    (shared_folder / "model").mkdir(exist_ok=True)
    return made_once(shared_folder / "model" / "model.embedkit", train)


@pytest.fixture(scope="session")
def world_model(shared_folder: Path) -> Path:
    """The model that scripts/demo trains; tests must not change it."""
    (shared_folder / "world").mkdir(exist_ok=True)
    path = shared_folder / "world" / "model.embedkit"
    return made_once(path, lambda path: SkipGramEncoder().fit(WORLD).save(path))


@pytest.fixture(scope="session")
def subword_model(shared_folder: Path) -> Path:
    """A model directory of `tests.subwords.subword_vectors`; tests must not change it."""
    from tests.subwords import subword_vectors

    (shared_folder / "subwords").mkdir(exist_ok=True)
    path = shared_folder / "subwords" / "subword.embedkit"
    return made_once(path, lambda path: subword_vectors().save(path))


@pytest.fixture
def embedkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line in this process, in an empty folder.

    A new process imports everything again, which takes up to two seconds; tests start one for
    what only a process has: signals, redirected streams, the cost of imports.
    """
    from embedkit.cli.app import app, show_warning

    def run(*arguments: object, stdin: str | bytes = b"") -> subprocess.CompletedProcess[str]:
        line = [*map(str, arguments)]
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = show_warning
            done = CliRunner().invoke(app, line, input=stdin, prog_name="embedkit", obj=[])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return subprocess.CompletedProcess(line, done.exit_code, done.stdout, done.stderr)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBEDKIT_MODEL", raising=False)
    return run


@pytest.fixture
def inside(embedkit: Command) -> Command:
    """Another name of `embedkit`."""
    return embedkit


def shell(command: str, model: Path) -> subprocess.CompletedProcess[str]:
    """Run embedkit in bash with *model* as the default model; *command* may redirect streams."""
    environment = {**os.environ, "EMBEDKIT_MODEL": str(model)}
    line = f'"{sys.executable}" -m embedkit {command}'
    done = subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
