#!/usr/bin/env python3
"""Run the examples of README.md and docs/, and compare their output with the pages.

    scripts/readme.py                               check every page that has examples
    scripts/readme.py docs/guides/features.md       check one page
    scripts/readme.py --write [PAGE...]             replace the output in the pages
    scripts/readme.py --trained FOLDER [PAGE...]    keep the models that most pages need in FOLDER

An example is a fenced block of one of three kinds: ``console`` holds `$ command` lines and their
output, ``pycon`` holds a Python session, and ``python`` holds statements that print nothing. The
examples of a page run in order, in an empty folder that contains the repository's corpora/.
Numbers, and all answers except the first, differ between machines and are not compared. Only the
last line of a traceback is shown. Most pages begin with one of the commands `TRAININGS`: each
runs once, and the other pages use a copy of its output and model. An embedkit command that needs no
shell runs in this process.
"""

from __future__ import annotations

import argparse
import code
import contextlib
import difflib
import fcntl
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from textwrap import dedent, indent

from click.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>console|pycon|python)\n(?P<block>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
TRAININGS = ("embedkit train corpora/world.txt", "embedkit train corpora/world.txt --quiet")
MODEL = "model.embedkit"
PLAIN = re.compile(r"""embedkit (?:[^"'|<>&;*?$`~\\(){}#]|'[^']*'|"[^"$`\\]*")*$""")
"""An embedkit command that needs no shell."""
TRACEBACK = re.compile(r"^(Traceback \(most recent call last\):\n)(?: .*\n)+", re.MULTILINE)


def pages() -> list[Path]:
    """Return the pages that have examples, README.md first."""
    candidates = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    return [page for page in candidates if BLOCK.search(page.read_text(encoding="utf-8"))]


def run_command(command: str) -> str:
    """Return the output of a command without progress lines, which differ between machines."""
    if PLAIN.match(command):
        printed = run_here(shlex.split(command)[1:])
    else:
        printed = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        ).stdout  # fmt: skip
    return re.sub(r"^(?:reading|walking|training|writing): .*\n", "", printed, flags=re.MULTILINE)


def run_here(arguments: list[str]) -> str:
    """Run embedkit in this process: a new one would import everything again."""
    from embedkit.cli.app import app, show_warning

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show_warning
        done = CliRunner().invoke(app, arguments, prog_name="embedkit", obj=[])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def train_once(command: str, trained: Path) -> str:
    """Run one of `TRAININGS`, or copy the model of an earlier run; return what it printed."""
    kept = trained / str(TRAININGS.index(command))
    kept.mkdir(exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may check pages at the same time
        if (kept / MODEL).exists():
            shutil.copytree(kept / MODEL, MODEL)
            return (kept / "printed").read_text()
        printed = run_command(command)
        if Path(MODEL).exists():
            (kept / "printed").write_text(printed)
            shutil.copytree(MODEL, kept / MODEL)
        return printed


def run_console(block: str, trained: Path) -> str:
    """Return the block with each command's output."""
    printed = []
    for command in re.findall(r"^\$ (.*(?:\\\n.*)*)", block, re.MULTILINE):
        once = command in TRAININGS and not Path(MODEL).exists()
        said = train_once(command, trained) if once else run_command(command)
        printed.append(f"$ {command}\n{said}")
    return "".join(printed)


def run_pycon(block: str, session: code.InteractiveConsole) -> str:
    """Return the block as Python's prompt prints it."""
    printed = io.StringIO()
    more = False

    def push(line: str) -> bool:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            return session.push(line)

    for prompt, line in re.findall(r"^(>>>|\.\.\.) ?(.*)", block, re.MULTILINE):
        if more and prompt == ">>>":
            push("")  # ends a statement such as a loop
        printed.write(f"{prompt} {line}".rstrip() + "\n")
        more = push(line)
    if more:
        push("")
    return TRACEBACK.sub(r"\1    ...\n", printed.getvalue())


def run_python(block: str, session: code.InteractiveConsole) -> str:
    """Run statements that should print nothing; return the block.

    Raises:
        SystemExit: they printed something, such as an error.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        session.runsource(block, symbol="exec")
    if printed.getvalue():
        sys.exit(f"A python block should print nothing:\n\n{block}\n{printed.getvalue()}")
    return block


def run_all(text: str, trained: Path) -> str:
    """Return the text with the current output of every example."""
    session = code.InteractiveConsole()

    def current(match: re.Match[str]) -> str:
        kind, block = match["kind"], dedent(match["block"])
        if kind == "console":
            block = run_console(block, trained)
        elif kind == "pycon":
            block = run_pycon(block, session)
        else:
            block = run_python(block, session)
        return indent(f"```{kind}\n{block}```", match["indent"])

    return BLOCK.sub(current, text)


def comparable(text: str) -> list[str]:
    """Return the lines of the examples without what differs between machines."""
    lines = []
    for match in BLOCK.finditer(text):
        for line in dedent(match["block"]).splitlines():
            answer = re.match(r" *(\d+)  \S+ +-?\d+\.\d+$", line)
            if answer and answer[1] != "1":
                line = "another answer"
            if match["kind"] == "console" and not line.startswith("$"):
                line = re.sub(r"\b[0-9a-f]{32}\b|[+-]?\d[\d.,e-]*", "N", line)
            elif not line.startswith((">>>", "...")):
                line = re.sub(r"-?\d+\.\d+(e-\d+)?", "N", line)
            lines.append(re.sub(r" +", " ", line))
    return lines


def check(page: Path, trained: Path, *, write: bool) -> bool:
    """Run one page; return whether its output is current, or write it."""
    old = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "corpora").symlink_to(ROOT / "corpora")
        os.chdir(folder)
        new = run_all(old, trained)
        os.chdir(ROOT)
    if write:
        page.write_text(new, encoding="utf-8")
        return True
    difference = list(
        difflib.unified_diff(comparable(old), comparable(new), page.name, "today", lineterm="")
    )
    if difference:
        print("\n".join(difference))
        print(
            f"The examples print something else today. Run scripts/readme.py --write {page}.",
            file=sys.stderr,
        )
    return not difference


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace the output in the pages")
    parser.add_argument("pages", type=Path, nargs="*", help="default: all that have examples")
    parser.add_argument("--trained", type=Path, help="folder for the models that most pages use")
    options = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ.pop("EMBEDKIT_MODEL", None)
    chosen = [page.resolve() for page in options.pages] or pages()
    with tempfile.TemporaryDirectory() as folder:
        trained = (options.trained or Path(folder)).resolve()
        if len(chosen) == 1:
            sys.exit(not check(chosen[0], trained, write=options.write))
        # One process per page, because Python shows some warnings only once in a process.
        failed = []
        for page in chosen:
            print(page.relative_to(ROOT), file=sys.stderr)
            arguments = ["--trained", trained, *(["--write"] if options.write else []), page]
            if subprocess.run([sys.executable, __file__, *arguments], check=False).returncode:
                failed.append(str(page.relative_to(ROOT)))
    if failed:
        sys.exit(f"Not current: {', '.join(failed)}")


if __name__ == "__main__":
    main()
