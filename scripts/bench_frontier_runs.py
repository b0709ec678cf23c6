"""The points of the frontier, and the log of the runs.

scripts/bench_frontier_runs.py is not run itself: scripts/bench_frontier uses it.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.vectors.postprocess import Steps

__all__ = ["POINTS", "Log", "Point", "Summary", "parse_point", "summaries"]

POINTS = (
    "default",
    "default+average",
    "default+remove_top=1",
    "default+remove_top=3",
    "negative=11",
    "negative=11,epochs=3",
    "epochs=3",
    "window=8",
    "negative=11,window=8",
    "epochs=15",
    "negative=11,epochs=15",
    "negative=11,epochs=15,window=8",
    "negative=11,epochs=10",
    "negative=11,epochs=2",
    "negative=17",
    "negative=2",
    "window=3",
    "learning_rate=0.025",
    "learning_rate=0.075",
    "negative=11,epochs=15,learning_rate=0.075",
    "dimension=50",
    "dimension=200",
    "dimension=300",
    "negative=11,epochs=15,dimension=200",
    "gensim:default",
    "gensim:negative=10",
    "gensim:epochs=15",
)
"""Settings that differ from embedkit's defaults, for embedkit unless a tool is named.

The part after + is done to the trained vectors, so such a point needs no training of its own.
"""

GENSIM = {
    "encoder": "skipgram", "architecture": "skipgram", "dimension": 100, "window": 5,
    "negative": 5, "epochs": 5, "min_count": 5, "sample": 1e-4, "learning_rate": 0.05,
    "min_ngram": 0, "max_ngram": 0, "buckets": 0,
}  # fmt: skip
"""The default of gensim's points: with its own sample, 1e-3, and rate, 0.025, it scores less."""


@dataclass(frozen=True)
class Point:
    """One point of the frontier.

    Attributes:
        name: as on the command line.
        tool: "embedkit" or "gensim".
        trained: what is trained: *name* without the steps after +.
        settings: those that differ from the defaults.
        steps: what is done to the vectors afterwards.
    """

    name: str
    tool: str
    trained: str
    settings: Mapping[str, Any]
    steps: Steps


def parse_point(text: str) -> Point:
    """Return the point that [TOOL:]NAME=VALUE,...[+STEP,...] describes.

    Raises:
        ValueError, TypeError: the text is not a point.
    """
    trained, _, steps = text.partition("+")
    tool, _, settings = trained.rpartition(":")
    if tool not in ("", "embedkit", "gensim"):
        raise ValueError(f"unknown tool {tool!r}")
    chosen = {} if settings == "default" else _values(settings)
    return Point(text, tool or "embedkit", trained, chosen, Steps(**_values(steps)))


def _values(text: str) -> dict[str, Any]:
    parts = [part.partition("=") for part in text.split(",") if part]
    return {name: json.loads(value) if equals else True for name, equals, value in parts}


class Log:
    """Runs in a file of JSON lines, each written as soon as it has ended.

    A run has the `point`, `seed` and `text` (the fingerprint of the corpus), `passes` and `whole`
    in seconds, and whether these were `timed`; and `scores` and `outcomes` unless only time was
    measured.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self.runs: list[dict[str, Any]] = []
        self._torn = False
        if path.exists():
            self._read(path.read_text())

    def _read(self, content: str) -> None:
        """Read the runs; an interrupted one may have left a part of a line."""
        self._torn = bool(content) and not content.endswith("\n")
        for line in content.split("\n")[:-1]:
            try:
                run = json.loads(line)
            except ValueError:
                continue
            if run["text"] == self._text:
                self.runs.append(run)

    def add(self, **run: Any) -> None:
        """Append a run to the file."""
        run["text"] = self._text
        with self._path.open("a") as file:
            file.write(("\n" if self._torn else "") + json.dumps(run) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._torn = False
        self.runs.append(run)

    def lacks(self, point: Point, seed: int, *, quality: bool, time: bool) -> bool:
        """Tell whether a point has not been measured with this seed."""
        runs = [run for run in self.runs if (run["point"], run["seed"]) == (point.name, seed)]
        scored = any("scores" in run for run in runs)
        timed = any(run["timed"] for run in runs)
        return (quality and not scored) or (time and not timed)


@dataclass(frozen=True)
class Summary:
    """A point over its seeds.

    Attributes:
        point: the point.
        seeds: number of seeds whose quality was measured.
        passes, whole: median seconds of the training passes, and with reading and preparing; None
            if time was not measured.
        scores: mean and standard deviation by the name of the benchmark; the deviation is None with
            one seed.
        outcomes: share of seeds that answered each analogy, NaN for unknown ones, (questions,).
    """

    point: str
    seeds: int
    passes: float | None
    whole: float | None
    scores: Mapping[str, tuple[float, float | None]]
    outcomes: NDArray[np.float64]


def summaries(points: Iterable[Point], runs: Sequence[Mapping[str, Any]]) -> list[Summary]:
    """Return the points whose quality was measured."""
    found = []
    for point in points:
        own = [run for run in runs if run["point"] == point.name]
        scored = [run for run in own if "scores" in run]
        timed = [run for run in own if run["timed"]]
        if not scored:
            continue
        found.append(
            Summary(
                point.name,
                len(scored),
                statistics.median(run["passes"] for run in timed) if timed else None,
                statistics.median(run["whole"] for run in timed) if timed else None,
                {name: _spread([run["scores"][name] for run in scored])
                 for name in scored[0]["scores"]},
                np.mean([_outcomes(run["outcomes"]) for run in scored], axis=0),
            )
        )  # fmt: skip
    return found


def _spread(values: Sequence[float]) -> tuple[float, float | None]:
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None


def _outcomes(text: str) -> NDArray[np.float64]:
    return np.array([{"1": 1.0, "0": 0.0}.get(letter, np.nan) for letter in text])
