"""Where ranks agree, and on how many words."""

from __future__ import annotations

from collections import Counter

from embedkit.training.schedule import Stop, schedule


def test_single_part_ends_an_epoch_with_all_words() -> None:
    assert schedule(3, 7, 1) == [Stop(7, 0, True), Stop(14, 0, True), Stop(21, 0, True)]


def test_frequent_words_are_synchronized_more_often() -> None:
    stops = schedule(2, 330, 33)
    assert [stop.chunk for stop in stops] == list(range(10, 661, 10))
    first = [stop.halvings for stop in stops[:16]]
    assert first == [5, 4, 5, 3, 5, 4, 5, 2, 5, 4, 5, 3, 5, 4, 5, 0]
    assert [stop.halvings for stop in stops[16:32]] == first, "and again"
    assert stops[32].halvings == 0, "an epoch ends"
    assert [stop.halvings for stop in stops[33:]] == [stop.halvings for stop in stops[:33]]
    taking_part = Counter(halvings for most in first for halvings in range(most, 6))
    # Of 16 stops: all words at 1, a quarter at 2, an eighth at 4, a 16th at 8, a 32nd at 16.
    assert [taking_part[h] for h in (0, 2, 3, 4, 5)] == [1, 2, 4, 8, 16]


def test_all_ranks_stop_equally_often() -> None:
    assert len(schedule(4, 2, 5)) == len(schedule(4, 100, 5)) == 20
    few = schedule(1, 2, 5)
    assert [stop.chunk for stop in few] == [1, 1, 2, 2, 2]
    assert [stop.ends_epoch for stop in few] == [False, False, False, False, True]
