"""version, help, and completion in real shells."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedkit import __version__
from embedkit.cli.app import app
from tests.conftest import Command

OFFERED = [
    ("embedkit tra", "train\ntransfer"),
    ("embedkit classify ", "errors\nevaluate\nexplain\ninspect\npredict\ntrain"),
    ("embedkit neighbors paris --me", "--metric"),
    ("embedkit neighbors paris --metric ", "cosine\ndot\nl2"),
    ("embedkit convert a b --to word2", "word2vec\nword2vec-binary"),
    ("embedkit analogy a b c --method p", "pairdirection"),
    ("embedkit completion ", "bash\nfish\nzsh"),
]
"""Command lines, and the words that complete them."""


def test_version_is_a_command_and_an_option(inside: Command) -> None:
    printed = inside("version").stdout
    assert printed == inside("--version").stdout == f"embedkit, version {__version__}\n"


@pytest.mark.parametrize("names", [[], ["train"], ["classify"], ["classify", "train"]])
def test_help_is_a_command_and_an_option(inside: Command, names: list[str]) -> None:
    done = inside("help", *names)
    assert done.returncode == 0
    assert done.stdout == inside(*names, "--help").stdout
    assert done.stdout.startswith("Usage: " + " ".join(["embedkit", *names]))


def test_help_of_a_missing_subcommand_is_an_error(inside: Command) -> None:
    done = inside("help", "train", "fast")
    assert (done.returncode, "embedkit train has no subcommands" in done.stderr) == (2, True)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files to complete, and the program on PATH."""
    program = tmp_path / "bin" / "embedkit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m embedkit "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    work = tmp_path / "work"
    (work / "model.embedkit").mkdir(parents=True)
    (work / "corpus.txt").touch()
    (work / "pairs.txt").touch()
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(inside: Command, shell: str) -> None:
    done = inside("completion", shell)
    assert done.returncode == 0
    assert f"_EMBEDKIT_COMPLETE={shell}_complete" in done.stdout


def completed(words: list[str]) -> list[str]:
    """Return what the program answers when bash asks how to complete *words*."""
    done = subprocess.run(
        ["embedkit"], capture_output=True, text=True, check=True, timeout=60,
        env={
            **os.environ, "_EMBEDKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1),
        },
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_names_of_files_are_completed_by_the_shell(path: Path) -> None:
    assert path.is_dir()
    assert completed(["embedkit", "train", "cor"]) == ["file,cor"]
    assert completed(["embedkit", "info", "--model", "mod"]) == ["dir,mod"]
    assert completed(["embedkit", "info", "mod"]) == ["dir,mod"]
    assert completed(["embedkit", "train", "x", "--output", "mod"]) == ["dir,mod"]
    assert completed(["embedkit", "phrases", "x", "--output", "a"]) == ["file,a"]
    assert completed(["embedkit", "plot", "--pairs", "@pa"]) == ["plain,@pairs.txt"]


def test_completion_imports_no_numeric_library(path: Path) -> None:
    script = (
        "import sys\n"
        "from embedkit.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'pyarrow', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=path,
        env={
            **os.environ, "_EMBEDKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": "embedkit tra", "COMP_CWORD": "1",
        },
    )  # fmt: skip
    assert done.stdout.splitlines() == ["plain,train", "plain,transfer", "[]"]


@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_bash_completes_a_line(path: Path, line: str, offered: str) -> None:
    words = line + "''" * line.endswith(" ")
    script = (
        'eval "$(embedkit completion bash)"\n'
        f"COMP_WORDS=({words})\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        "_embedkit_completion embedkit\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, cwd=path
    )
    assert sorted(done.stdout.split()) == offered.split()


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_fish_completes_a_line(path: Path, line: str, offered: str) -> None:
    script = f'embedkit completion fish | source; complete --do-complete "{line}"'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, cwd=path
    )
    assert sorted(row.split("\t")[0] for row in done.stdout.splitlines()) == offered.split()


class Terminal:
    """An interactive shell."""

    def __init__(self, *command: str) -> None:
        self.process, self._file = pty.fork()
        if self.process == 0:
            os.environ.update(PS1="$ ", TERM="dumb", INPUTRC="/dev/null")
            os.execvp(command[0], command)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._file, text.encode())

    def wait_for(self, text: str, seconds: float = 60) -> bool:
        """Read until the shell shows *text*."""
        end = time.monotonic() + seconds
        while text not in self.shown and time.monotonic() < end:
            if select.select([self._file], [], [], 0.1)[0]:
                self.shown += os.read(self._file, 4096).decode(errors="replace")
        return text in self.shown

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._file)


@pytest.mark.parametrize(
    "command", [("bash", "--norc", "--noprofile", "-i"), ("zsh", "-f", "-i")], ids=["bash", "zsh"]
)
def test_the_tab_key_completes_commands_and_files(path: Path, command: tuple[str, ...]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    assert path.is_dir()
    shell = Terminal(*command)
    try:
        if command[0] == "zsh":
            shell.type("autoload -Uz compinit && compinit -u -D\n")
        shell.type(f'eval "$(embedkit completion {command[0]})"; echo rea""dy\n')
        assert shell.wait_for("ready"), shell.shown
        for typed, shown in (
            ("embedkit neigh\t", "embedkit neighbors "),
            ("paris --met\t", "paris --metric "),
            ("--model mod\t", "--model model.embedkit"),
            ("\x15embedkit train cor\t", "train corpus.txt"),
            ("\x15embedkit convert a b --to gl\t", "--to glove"),
        ):
            shell.type(typed)
            assert shell.wait_for(shown), shell.shown
    finally:
        shell.close()


def test_every_command_is_completed(path: Path) -> None:
    assert path.is_dir()
    assert {line.partition(",")[2] for line in completed(["embedkit", ""])} == set(app.commands)
