"""Change a search index in processes that are killed at many moments; print what is left each time.

python kill_moments.py FOLDER MODEL build|overwrite|add|delete STEP

STEP is the number of file operations between two moments; some others come after some time.

A process is started for each moment by fork, before there are threads, so that only the first one
imports the package. Prints JSON lines: the moment, and the answers of the index, or null without
an index.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from embedkit.errors import ModelError
from embedkit.retrieval.text_index import TextIndex

OLD, NEW = ["paris old", "rome old"], ["paris new", "madrid new", "rome new"]
TIMES = [0.002, 0.008, 0.032]  # seconds after the change began
EVENTS = {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.utime"}


def change(path: Path, model: str, kind: str) -> None:
    if kind in ("build", "overwrite"):
        TextIndex.build(NEW, path, model, overwrite=kind == "overwrite")
    elif kind == "add":
        TextIndex.open(path, model).add(NEW)
    else:
        TextIndex.open(path, model).delete(["2"])


def killed_after(events: int, folder: Path) -> Callable[[], None]:
    """Return what kills this process at its next file operation in *folder* after so many."""

    def begin() -> None:
        left = events

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in EVENTS and str(arguments[0]).startswith(str(folder)):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)

    return begin


def killed_at(seconds: float) -> Callable[[], None]:
    """Return what kills this process after so many seconds, also inside of a library."""

    def begin() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return begin


def in_child(work: Callable[[], object]) -> int:
    """Run *work* in a process of its own; return its exit status, negative for a signal."""
    if not (child := os.fork()):
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the child must not go on as its parent
            print(json.dumps({"error": repr(error)}), flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def report(path: Path, model: str, moment: str) -> None:
    """Print what a reader finds."""
    answers = None
    try:
        index = TextIndex.open(path, model)
    except ModelError:
        if path.exists():
            raise
    else:
        answers = sorted(answer.text for answer in index.ask("paris rome madrid", 10))
        if not len(index) == len(index.ids()) == len(answers):
            raise SystemExit(f"{moment}: {len(index)} documents, but the answers are {answers}")
    print(json.dumps({"moment": moment, "answers": answers}), flush=True)


def main(folder: Path, model: str, kind: str, step: int) -> None:
    import tantivy  # noqa: F401 - so that not each process imports it

    old = folder / "old.index"
    in_child(lambda: TextIndex.build(OLD, old, model))
    moments = [(f"{seconds} s", killed_at(seconds)) for seconds in TIMES]
    for events in range(0, 1_000, step):
        moments.append((f"{events} events", killed_after(events, folder)))
    for number, (moment, begin) in enumerate(moments):
        path = folder / str(number) / "docs.index"
        path.parent.mkdir()
        if kind != "build":
            shutil.copytree(old, path)

        def work(begin: Callable[[], None] = begin, path: Path = path) -> None:
            begin()
            change(path, model, kind)

        status = in_child(work)
        in_child(lambda path=path, moment=moment: report(path, model, moment))
        if status not in (0, -signal.SIGKILL, -signal.SIGALRM):
            raise SystemExit(f"{moment}: the change failed with {status}")
        if status == 0 and moment.endswith("events"):
            return  # it has ended, and so have the moments


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
