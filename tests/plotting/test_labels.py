"""Placing labels: no overlaps, inside the canvas, near the point."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from embedkit.plotting.labels import Box, LabelCanvas


def overlap(a: Box, b: Box) -> bool:
    return (
        abs(a.left + a.width / 2 - b.left - b.width / 2) < (a.width + b.width) / 2
        and abs(a.bottom + a.height / 2 - b.bottom - b.height / 2) < (a.height + b.height) / 2
    )


def test_labels_do_not_overlap_and_stay_inside() -> None:
    canvas = LabelCanvas(50, 40, 600, 400)
    points = np.random.default_rng(0).uniform([50, 40], [650, 440], size=(300, 2))
    boxes = [box for x, y in points if (box := canvas.place(x, y, 60, 16, gap=6))]
    assert 50 < len(boxes) < 300
    for box in boxes:
        assert 50 <= box.left <= box.left + box.width <= 650
        assert 40 <= box.bottom <= box.bottom + box.height <= 440
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes, 2))


def test_a_label_avoids_marks_and_lines() -> None:
    canvas = LabelCanvas(0, 0, 400, 400)
    plain = LabelCanvas(0, 0, 400, 400).place(200, 200, 50, 16, gap=6)
    assert plain is not None
    assert plain.left > 200  # right of the point is best
    canvas.line((200, 200), (400, 200), cost=4.0)
    box = canvas.place(200, 200, 50, 16, gap=6)
    assert box is not None
    assert not (box.left + box.width > 200 and box.bottom < 200 < box.bottom + box.height)


def test_distant_positions_are_used_only_for_required_labels() -> None:
    canvas = LabelCanvas(0, 0, 400, 400)
    near = [canvas.place(200, 200, 60, 30, gap=6) for _ in range(30)]
    assert None in near
    box = canvas.place(200, 200, 60, 30, gap=6, must=True)
    assert box is not None
    assert box.nearest(200, 200, beyond=12) is not None


@pytest.mark.parametrize(("x", "tip"), [(5.0, None), (0.0, (10.0, 5.0))])
def test_nearest_point_of_a_box(x: float, tip: tuple[float, float] | None) -> None:
    assert Box(10, 0, 10, 10).nearest(x, 5, beyond=6) == tip
