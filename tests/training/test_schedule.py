"""Where ranks agree, and on how many words."""

from __future__ import annotations

from collections import Counter

from embedkit.training.schedule import Stop, rank_schedule, schedule


def test_single_part_ends_an_epoch_with_all_words() -> None:
    assert schedule(3, 7, 1) == [Stop(7, 0, True), Stop(14, 0, True), Stop(21, 0, True)]


def test_frequent_words_are_synchronized_more_often() -> None:
    stops = schedule(2, 1290, 129)
    assert [stop.chunk for stop in stops] == list(range(10, 2581, 10))
    first = [stop.halvings for stop in stops[:64]]
    assert first[:8] == [7, 6, 7, 5, 7, 6, 7, 4]
    assert (first[15], first[31], first[63]) == (3, 2, 0)
    assert [stop.halvings for stop in stops[64:128]] == first, "and again"
    assert stops[128].halvings == 0, "an epoch ends"
    assert [stop.halvings for stop in stops[129:]] == [stop.halvings for stop in stops[:129]]
    taking_part = Counter(halvings for most in first for halvings in range(most, 8))
    # Of 64 stops: all words at 1, a quarter at 2, an eighth at 4, ..., a 128th at 64.
    assert [taking_part[h] for h in (0, 2, 3, 4, 5, 6, 7)] == [1, 2, 4, 8, 16, 32, 64]


def test_ranks_stop_more_often_in_the_first_epoch() -> None:
    stops = rank_schedule(3, 480, share=6_100.0, sync_every=1_000)
    assert Counter((stop.chunk - 1) // 480 for stop in stops) == {0: 49, 1: 6, 2: 6}
    assert [stop.chunk for stop in stops if stop.ends_epoch] == [480, 960, 1440]
    assert [stop.chunk for stop in stops[49:]] == list(range(560, 1441, 80))
    assert len(rank_schedule(2, 5, share=10.0, sync_every=1_000)) == 2


def test_all_ranks_stop_equally_often() -> None:
    assert len(schedule(4, 2, 5)) == len(schedule(4, 100, 5)) == 20
    few = schedule(1, 2, 5)
    assert [stop.chunk for stop in few] == [1, 1, 2, 2, 2]
    assert [stop.ends_epoch for stop in few] == [False, False, False, False, True]
