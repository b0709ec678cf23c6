"""uvicorn's HTTP protocol with limits on time, size and connections.

A connection is closed if its request does not arrive in time, or if its response is not read. When
the server stops, each connection gets an answer to the request under way, or to one that is sent
at that moment; these answers have the header Connection: close.
Malformed requests are answered in JSON like all others.
"""

from __future__ import annotations

import asyncio
from collections import deque

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from embedkit.service.http.client import network_of
from embedkit.service.http.errors import error_body
from embedkit.service.limits import (
    CLOSING_SECONDS,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_OF_ADDRESS,
    MAX_HEADER_BYTES,
    REQUEST_SECONDS,
)

__all__ = ["Protocol"]

_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large",
            503: "Service Unavailable"}  # fmt: skip


class Protocol(HttpToolsProtocol):
    """A connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._header_bytes: int | None = 0
        self._is_last = False  # whether the next answer is the last one
        self._unread = 0
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._expect_request()
        if len(self.connections) > MAX_CONNECTIONS:
            self._end(503, "Too many connections are open.", "Try again in a second.")
        elif self._of_same_address() > MAX_CONNECTIONS_OF_ADDRESS:
            self._end(
                503, "Too many connections of your address are open.", "Close some of them first."
            )

    def _of_same_address(self) -> int:
        """Return the number of connections of this address."""
        if not self.client or len(self.connections) <= MAX_CONNECTIONS_OF_ADDRESS:
            return 1
        network = network_of(self.client[0])
        others = (getattr(other, "client", None) for other in self.connections)
        return sum(client is not None and network_of(client[0]) == network for client in others)

    def shutdown(self) -> None:
        """Prepare for the end of the server: answer the request under way, then close.

        A client may have sent a request that has not arrived, so an idle connection is closed a
        moment later.
        """
        self._is_last = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        self.loop.call_later(CLOSING_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        is_receiving = bool(self._header_bytes)
        if not (is_answering or is_receiving or self.transport.is_closing()):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_complete()
        # uvicorn notifies only the last request, but an earlier one may be in progress.
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._header_bytes is not None:
            self._header_bytes += len(data)
        super().data_received(data)
        # Once the headers are complete, `_header_bytes` is None.
        if self._header_bytes is not None and self._header_bytes > MAX_HEADER_BYTES:
            self._end_large_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._header_bytes = self._header_bytes or 0
        self._expect_request()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._limit_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._limit_head(len(name) + len(value) + len(b": \r\n"))

    def _limit_head(self, size: int) -> None:
        """Refuse a request whose headers are too large, even if they arrive all at once."""
        self._head_bytes += size
        if self._head_bytes > MAX_HEADER_BYTES:
            self._end_large_head()
            raise ValueError("the headers are too large")  # ends parsing

    def _end_large_head(self) -> None:
        self._end(431, f"The headers of a request may have at most {MAX_HEADER_BYTES:,} bytes.")

    def on_headers_complete(self) -> None:
        self._header_bytes = None
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False
        while self._unanswered and self._unanswered[0].response_complete:
            self._unanswered.popleft()
        self._unanswered.append(self.cycle)

    def on_message_complete(self) -> None:
        self._request_complete()
        self._header_bytes = 0
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and not self.transport.is_closing():
            if unread == self._unread:  # nothing was read since the last check
                self.transport.abort()
                return
            self._unread = unread
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
            return
        super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        self._end(400, msg)

    def _expect_request(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(
                REQUEST_SECONDS,
                self._end,
                408,
                f"The request did not arrive within {REQUEST_SECONDS:g} seconds.",
            )

    def _request_complete(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self, status: int, message: str, hint: str = "") -> None:
        """Send an error, unless a response has started already, and close."""
        if self.transport.is_closing():
            return
        body: bytes = orjson.dumps(error_body(status, message, hint))
        head: dict[str, str | int] = {
            "content-type": "application/json",
            "content-length": len(body),
            "connection": "close",
        }
        if status == 503:
            head["retry-after"] = 1
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            lines = [
                f"HTTP/1.1 {status} {_REASONS[status]}",
                *(f"{k}: {v}" for k, v in head.items()),
            ]
            self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.transport.close()
