"""Turns of clients and of their requests."""

from __future__ import annotations

import pytest

from embedkit.service.worker.fair_queue import FairQueue


def served(queue: FairQueue[str], turns: int, cost: float = 1.0) -> str:
    """Give *turns* turns; return the requests in this order."""
    order = ""
    for _ in range(turns):
        turn = queue.pop()
        order += turn.item
        queue.charge(turn, cost)
        queue.again(turn)
    return order


def test_clients_take_turns_however_many_requests_they_have() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in "abcd":
        queue.push("many", item)
    queue.push("one", "Z")
    assert served(queue, 8) == "aZbZcZdZ"
    assert len(queue) == 5


def test_a_newcomer_is_next_but_one_and_gets_no_credit() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in "ab":
        queue.push("first", item)
    assert served(queue, 100) == "ab" * 50
    queue.push("first", "c")  # a further request of this client
    queue.push("second", "Z")  # another client
    order = served(queue, 12)
    assert order.index("c") <= 5
    assert order.index("Z") <= 1
    assert order.count("Z") == 6  # half of the turns, not all that it has missed


def test_an_expensive_turn_is_paid_with_later_ones() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("slow", "s")
    queue.push("fast", "f")
    turn = queue.pop()
    assert turn.item == "s"
    queue.charge(turn, 5.0)
    queue.again(turn)
    assert served(queue, 6) == "fffffs"


def test_requests_end() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("client", "a")
    turn = queue.pop()
    assert not queue
    queue.push("client", "b")
    queue.end(turn)
    last = queue.pop()
    assert last.item == "b"
    queue.end(last)
    with pytest.raises(IndexError):
        queue.pop()
