"""The memory for the bodies of requests that have not been answered."""

from __future__ import annotations

from embedkit.service.http.errors import RefusedError
from embedkit.service.limits import BODIES_IN_FLIGHT, BODIES_OF_CLIENT

__all__ = ["BodyBudget", "too_many_bodies"]


class BodyBudget:
    """Counts the bytes of bodies in memory, in all and of each client.

    Args:
        body_limit: largest body of a request, in bytes; the budgets are multiples of it.
    """

    def __init__(self, body_limit: int) -> None:
        self._limit = BODIES_IN_FLIGHT * body_limit
        self._limit_of_client = BODIES_OF_CLIENT * body_limit
        self._used = 0
        self._of_clients: dict[str, int] = {}

    @property
    def used(self) -> int:
        """The number of bytes in memory."""
        return self._used

    def has_room(self, client: str, size: int) -> bool:
        """Tell whether *size* more bytes of a client fit."""
        own = self._of_clients.get(client, 0)
        return self._used + size <= self._limit and own + size <= self._limit_of_client

    def add(self, client: str, size: int) -> None:
        """Count *size* more bytes of a client; fewer if negative."""
        self._used += size
        own = self._of_clients.get(client, 0) + size
        if own:
            self._of_clients[client] = own
        else:
            self._of_clients.pop(client, None)


def too_many_bodies() -> RefusedError:
    """Return the error for a body for which there is no room."""
    return RefusedError(
        503,
        "Too many large requests are in progress.",
        "Try again in a second, with smaller requests.",
        {"Retry-After": "1"},
    )
