"""scripts/bench_frontier, with bench_frontier_runs.py and bench_frontier_picture.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib import image

from tests.scripts.conftest import load_script

RUNS = "bench_frontier_runs.py"


def run_of(point: str, seed: int = 1, **facts: Any) -> dict[str, Any]:
    return {"text": "t", "point": point, "seed": seed, "timed": False, **facts}


@pytest.mark.parametrize(
    ("text", "tool", "trained", "settings"),
    [
        ("default", "embedkit", "default", {}),
        ("negative=11,epochs=3", "embedkit", "negative=11,epochs=3", {"negative": 11, "epochs": 3}),
        ("gensim:sample=1e-3", "gensim", "gensim:sample=1e-3", {"sample": 1e-3}),
        ("epochs=2+average,remove_top=1", "embedkit", "epochs=2", {"epochs": 2}),
    ],
)
def test_points_are_read(text: str, tool: str, trained: str, settings: dict[str, Any]) -> None:
    point = load_script(RUNS).parse_point(text)
    assert (point.tool, point.trained, point.settings) == (tool, trained, settings)
    assert point.steps.average == point.steps.remove_top == ("+" in text)


@pytest.mark.parametrize("text", ["word2vec:default", "epochs=many", "default+shuffle"])
def test_other_points_are_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        load_script(RUNS).parse_point(text)


def test_every_listed_point_can_be_trained() -> None:
    from embedkit.training.config import TrainingConfig

    runs = load_script(RUNS)
    for point in map(runs.parse_point, runs.POINTS):
        assert TrainingConfig.of(**point.settings)


def test_an_interrupted_log_goes_on(tmp_path: Path) -> None:
    runs = load_script(RUNS)
    path = tmp_path / "log"
    path.write_text(json.dumps(run_of("default", scores={})) + '\n{"text": "t", "poi')
    log = runs.Log(path, "t")
    default = runs.parse_point("default")
    assert not log.lacks(default, 1, quality=True, time=False)
    assert log.lacks(default, 1, quality=True, time=True)  # it was not timed
    assert log.lacks(default, 2, quality=True, time=False)
    log.add(point="default", seed=2, timed=True)
    again = runs.Log(path, "t")
    assert [run["seed"] for run in again.runs] == [1, 2]
    assert not again.lacks(default, 2, quality=False, time=True)
    assert runs.Log(path, "another text").runs == []


def test_quality_and_time_are_summarized_apart() -> None:
    runs = load_script(RUNS)
    scored = [
        run_of("default", 1, passes=9.0, whole=9.0, scores={"analogies": 0.5}, outcomes="10-"),
        run_of("default", 2, passes=9.0, whole=9.0, scores={"analogies": 1.0}, outcomes="11-"),
    ]
    timed = {**run_of("default", 1, passes=2.0, whole=3.0), "timed": True}
    (found,) = runs.summaries([runs.parse_point("default")], [*scored, timed])
    assert (found.seeds, found.passes, found.whole) == (2, 2.0, 3.0)
    assert found.scores["analogies"] == pytest.approx((0.75, 0.125**0.5))  # sqrt of 2 * .25 ** 2
    assert found.outcomes.tolist()[:2] == [1.0, 0.5]
    (untimed,) = runs.summaries([runs.parse_point("default")], scored)
    assert untimed.passes is None


def test_no_point_of_the_frontier_is_beaten() -> None:
    frontier = load_script("bench_frontier_picture.py").frontier
    assert frontier([(3, 0.3), (1, 0.1), (2, 0.05), (4, 0.3), (5, 0.4), (1, 0.08)]) == [1, 0, 4]


@pytest.mark.slow
def test_bench_frontier(
    run_json: Callable[..., Any], corpus: Path, analogies: Path, similarity: Path, tmp_path: Path
) -> None:
    arguments = (
        "bench_frontier", corpus, "--analogies", analogies, "--similarity", similarity,
        "--workers", 1, "--seeds", 1, 2, "--words", 5_000,
    )  # fmt: skip
    points = "default", "default+average", "dimension=8,epochs=1"
    quality = run_json(*arguments, "--measure", "quality", "--points", *points)
    assert [row["point"] for row in quality["points"]] == list(points)
    assert all(row["passes"] is None and row["seeds"] == 2 for row in quality["points"])
    runs = (tmp_path / "frontier.jsonl").read_text().splitlines()
    assert len(runs) == 6
    timed = run_json(*arguments, "--measure", "time", "--picture", "drawn.png", "--points", *points)
    assert len((tmp_path / "frontier.jsonl").read_text().splitlines()) == 12
    assert all(0 < row["passes"] < row["whole"] for row in timed["points"])
    assert [row["analogies"] for row in timed["points"]] == [
        row["analogies"] for row in quality["points"]
    ]
    for name in ("analogies", similarity.stem):
        assert image.imread(tmp_path / f"drawn-{name}.png").shape[:2] == (1200, 1600)
