#!/usr/bin/env python3
"""Run every example of a page and compare what it prints with what stands there.

    scripts/readme.py                            look at README.md
    scripts/readme.py --write docs/features.md   put in what that page's examples print

An example is a ``console`` block, of `$ command` lines with their output, or a ``pycon`` block, a
Python session. They run in order in an empty folder that has the repository's corpora/. Numbers
and the answers after the first one differ from machine to machine and are not compared; of a
traceback only the error is shown.
"""

from __future__ import annotations

import argparse
import code
import contextlib
import difflib
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?<=^```)(console|pycon)\n(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)

TRACEBACK = re.compile(r"^(Traceback \(most recent call last\):\n)(?: .*\n)+", re.MULTILINE)


def console(block: str) -> str:
    """Return the block as a shell prints it."""
    printed = []
    for command in re.findall(r"^\$ (.*(?:\\\n.*)*)", block, re.MULTILINE):
        done = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        # How often progress is told depends on the machine.
        output = re.sub(r"^training: .*\n", "", done.stdout, flags=re.MULTILINE)
        printed.append(f"$ {command}\n{output}")
    return "".join(printed)


def pycon(block: str, session: code.InteractiveConsole) -> str:
    """Return the block as Python's prompt prints it."""
    printed = io.StringIO()
    more = False
    for line in re.findall(r"^(?:>>>|\.\.\.) ?(.*)", block, re.MULTILINE):
        printed.write(f"{'...' if more else '>>>'} {line}".rstrip() + "\n")
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            more = session.push(line)
    return TRACEBACK.sub(r"\1    ...\n", printed.getvalue())


def run_all(text: str) -> str:
    """Return the text with every block as it comes out today."""
    session = code.InteractiveConsole()

    def fresh(match: re.Match[str]) -> str:
        kind, block = match.groups()
        return f"{kind}\n{console(block) if kind == 'console' else pycon(block, session)}"

    return BLOCK.sub(fresh, text)


def comparable(text: str) -> list[str]:
    """Return the lines of the examples without what differs from machine to machine."""
    lines = []
    for kind, block in BLOCK.findall(text):
        for line in block.splitlines():
            answer = re.match(r" *(\d+)  \S+ +-?\d+\.\d+$", line)
            if answer and answer[1] != "1":
                line = "another answer"
            if kind == "console" and not line.startswith("$"):
                line = re.sub(r"\b[0-9a-f]{32}\b|[+-]?\d[\d.,e-]*", "N", line)
            elif not line.startswith((">>>", "...")):
                line = re.sub(r"-?\d+\.\d+(e-\d+)?", "N", line)
            lines.append(re.sub(r" +", " ", line))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put in what the examples print")
    parser.add_argument("file", type=Path, nargs="?", default=ROOT / "README.md")
    options = parser.parse_args()
    path = options.file.resolve()
    old = path.read_text(encoding="utf-8")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ.pop("EMBEDKIT_MODEL", None)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "corpora").symlink_to(ROOT / "corpora")
        os.chdir(folder)
        new = run_all(old)
        os.chdir(ROOT)
    if options.write:
        path.write_text(new, encoding="utf-8")
        return
    difference = list(
        difflib.unified_diff(comparable(old), comparable(new), path.name, "today", lineterm="")
    )
    if difference:
        print("\n".join(difference))
        sys.exit(
            f"The examples print something else today: scripts/readme.py --write {options.file}"
        )


if __name__ == "__main__":
    main()
