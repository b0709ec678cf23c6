"""A queue in which clients take turns, and so do the requests of each client."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

__all__ = ["FairQueue", "Turn"]

T = TypeVar("T")


@dataclass(order=True)
class Turn(Generic[T]):
    """A request in the queue.

    Attributes:
        used: the service that it has received, from where it began; see `FairQueue`.
        number: requests are numbered in the order of their arrival.
        client: the name of its client.
        item: what the queue holds.
    """

    used: float
    number: int
    client: str = field(compare=False)
    item: T = field(compare=False)


@dataclass
class _Client(Generic[T]):
    """A client with requests in the queue or in service."""

    used: float
    waiting: list[Turn[T]] = field(default_factory=list)
    open: int = 0


class FairQueue(Generic[T]):
    """Gives the next turn to the client that has received the least service.

    Among the requests of a client, the one that has received the least is next. A newcomer starts
    with the smallest amount of those present: it is served soon, but has no claim to the time
    before it came. This is start-time fair queuing (Goyal, Vin and Cheng 1996) on two levels.
    """

    def __init__(self) -> None:
        self._clients: dict[str, _Client[T]] = {}
        self._numbers = count()
        self._waiting = 0

    def __len__(self) -> int:
        """Return the number of requests that wait for a turn."""
        return self._waiting

    def push(self, client: str, item: T) -> Turn[T]:
        """Add a request."""
        found = self._clients.get(client)
        if found is None:
            least = min((other.used for other in self._clients.values()), default=0.0)
            found = self._clients[client] = _Client(least)
        start = found.waiting[0].used if found.waiting else 0.0
        turn = Turn(start, next(self._numbers), client, item)
        found.open += 1
        self._wait(turn)
        return turn

    def pop(self) -> Turn[T]:
        """Remove and return the request whose turn it is.

        Call `again` or `end` with it afterwards.

        Raises:
            IndexError: no request waits.
        """
        ready = [client for client in self._clients.values() if client.waiting]
        if not ready:
            raise IndexError("the queue is empty")
        client = min(ready, key=lambda client: client.used)
        self._waiting -= 1
        return heapq.heappop(client.waiting)

    def charge(self, turn: Turn[T], cost: float) -> None:
        """Record service of this cost, after `pop` and before `again` or `end`."""
        turn.used += cost
        self._clients[turn.client].used += cost

    def again(self, turn: Turn[T]) -> None:
        """Put back a request that needs more service."""
        self._wait(turn)

    def end(self, turn: Turn[T]) -> None:
        """Forget a request that needs no more service."""
        client = self._clients[turn.client]
        client.open -= 1
        if not client.open:
            del self._clients[turn.client]

    def _wait(self, turn: Turn[T]) -> None:
        heapq.heappush(self._clients[turn.client].waiting, turn)
        self._waiting += 1
