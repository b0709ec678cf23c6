"""Code shared by the benchmark scripts: options, tasks, the machine, and tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["TASKS", "Report", "machine", "note", "option_parser", "task"]

TASKS = Path(__file__).with_name("bench_tasks.py")


def option_parser(doc: str | None, *, model: bool = False) -> argparse.ArgumentParser:
    """Return a parser with the common options: --seed, --json, and --model.

    Args:
        doc: the docstring of the script; its first line is the description.
        model: add --model, whose default is EMBEDKIT_MODEL, as on embedkit's command line.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    if model:
        default = os.environ.get("EMBEDKIT_MODEL", "model.embedkit")
        parser.add_argument("--model", default=default, help="model directory [%(default)s]")
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of all random numbers [%(default)s]"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, not tables")
    return parser


def machine() -> str:
    """Describe this machine in a few words."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def note(text: str) -> None:
    """Print progress on standard error."""
    print("  ", text, file=sys.stderr, flush=True)


def task(name: str, *arguments: Any) -> dict[str, Any]:
    """Run a task of bench_tasks.py in a new process and return its report."""
    command = [sys.executable, str(TASKS), name, *map(str, arguments)]
    note(" ".join([name, *map(str, arguments)]))
    # An old BLAS kernel forced by the environment would slow gensim down.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


class Report:
    """Figures as Markdown tables, printed row by row, or as one JSON object at the end.

    Args:
        options: with `json`; its other values are reported as the settings.
        title: printed above the first table, after the machine.
    """

    def __init__(self, options: argparse.Namespace, title: str = "") -> None:
        self._json: bool = options.json
        settings = {k: v for k, v in vars(options).items() if k != "json"}
        self.results: dict[str, Any] = {"machine": machine(), "settings": settings}
        self._rows: list[dict[str, Any]] = []
        self._formats: list[tuple[str, str]] = []
        self.text(f"{machine()}; {title}" if title else machine())

    def text(self, line: str) -> None:
        """Print a line, unless JSON is printed."""
        if not self._json:
            print(line, flush=True)

    def table(self, name: str, columns: Mapping[str, tuple[str, str]]) -> None:
        """Begin a table.

        Args:
            name: of the list of rows in JSON.
            columns: title and format of each column, by the name of its value.
        """
        self._rows = self.results.setdefault(name, [])
        self._formats = [(key, form) for key, (_, form) in columns.items()]
        self.text("\n| " + " | ".join(title for title, _ in columns.values()) + " |")
        self.text("|" + "|".join("---:" if form else "---" for _, form in self._formats) + "|")

    def row(self, **values: Any) -> None:
        """Add a row to the table; values without a column appear in JSON only."""
        self._rows.append(values)
        cells = (
            "" if values.get(key) is None else format(values[key], form)
            for key, form in self._formats
        )
        self.text("| " + " | ".join(cells) + " |")

    def finish(self) -> None:
        """Print the JSON object, if it was asked for."""
        if self._json:
            print(json.dumps(self.results, indent=2, default=str))
