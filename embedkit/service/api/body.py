"""Reads the body of a POST directly into the model that a route names."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Discriminator, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from embedkit.service.http.errors import (
    DOCS_HINT,
    SMALLER_REQUESTS,
    ErrorBody,
    RefusedError,
    error_body,
)
from embedkit.service.http.json_response import BatchResponse
from embedkit.service.limits import MAX_BATCH
from embedkit.service.worker.cancellation import Handle

__all__ = ["JsonBodyRoute", "validation_error"]

_SMALL_BODY = 1 << 10  # bytes, which are validated at once
_ITEMS = 8  # of a batch that are validated at a time
_MOST_FIELDS = 64  # of an object; no request has as many
_MOST_BRACKETS = 30_000  # lists and objects in a request; 256 transfers have up to 26,112 pairs
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def validation_error(problem: Mapping[str, Any], location: Sequence[object]) -> ErrorBody:
    """Return the body for an error that pydantic found.

    Args:
        problem: one of `ValidationError.errors()`.
        location: its place in the request, or in an item of a batch.
    """
    parts = [part for part in location if part not in ("body", "query", "one", "many")]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    place = text.lstrip(".") or "The request"
    return error_body(422, f"{place}: {problem['msg']}.", DOCS_HINT)


class JsonBodyRoute(APIRoute):
    """A route whose only parameter may be `body`, which is validated from the bytes received.

    pydantic's own JSON parser is several times faster than `json.loads` followed by a second pass
    over the result.
    """

    def get_route_handler(self) -> Handle:
        endpoint: Callable[[object], Awaitable[Response]] = self.endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        if "body" not in hints:
            return super().get_route_handler()
        reader = _Reader(hints["body"])

        async def handle(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                raise RefusedError(
                    415,
                    "The body must be JSON.",
                    "Send the header Content-Type: application/json.",
                )
            body, invalid = await reader.read(await request.body())
            if not invalid:
                return await endpoint(body)
            errors = request.app.state.metrics.errors
            for refused in invalid.values():
                errors.labels(refused["error"]["type"]).inc()
            if not body:
                return BatchResponse([*invalid.values()])
            response = await endpoint(body)
            if not isinstance(response, BatchResponse):  # no answers: all of it is refused
                return response
            answers = iter(response.answers)
            return BatchResponse(
                [
                    invalid[place] if place in invalid else next(answers)
                    for place in range(len(response.answers) + len(invalid))
                ],
                _own_headers(response),
            )

        return handle


class _Reader:
    """Validates bodies in parts, between which other requests have a turn.

    Bodies that are too long are refused before pydantic sees them: it would describe each of a
    hundred thousand errors.
    """

    def __init__(self, hint: Any) -> None:
        self._adapter: TypeAdapter[object] = TypeAdapter(hint)
        metadata = getattr(hint, "__metadata__", ())
        self._is_batch = any(isinstance(one, Discriminator) for one in metadata)

    async def read(self, content: bytes) -> tuple[object, dict[int, ErrorBody]]:
        """Return the valid body, and the errors of items of a batch by place.

        Raises:
            RequestValidationError: nothing in the body is valid.
            RefusedError: it has too many lists and objects.
        """
        if len(content) < _SMALL_BODY:
            with contextlib.suppress(ValidationError):
                return self._adapter.validate_json(content), {}
        else:
            await asyncio.sleep(0)
            _check_brackets(content)
        try:
            parsed = from_json(content)
        except ValueError:
            return self._validated(content), {}  # raises the error that pydantic describes
        await asyncio.sleep(0)
        if not isinstance(parsed, list) or not self._is_batch or not parsed:
            _check_fields(parsed)
            return self._validated(content), {}
        if len(parsed) > MAX_BATCH:
            message = f"List should have at most {MAX_BATCH} items after validation, not "
            raise _invalid("too_long", f"{message}{len(parsed)}")
        return await self._read_items(parsed)

    async def _read_items(
        self, items: Sequence[object]
    ) -> tuple[list[object], dict[int, ErrorBody]]:
        body: list[object] = []
        invalid: dict[int, ErrorBody] = {}
        for start in range(0, len(items), _ITEMS):
            part = items[start : start + _ITEMS]
            try:
                for item in part:
                    _check_fields(item)
                body += self._validated_items(part)
            except (RequestValidationError, ValidationError):
                for place, item in enumerate(part, start):
                    try:
                        _check_fields(item)
                        body += self._validated_items([item])
                    except (RequestValidationError, ValidationError) as error:
                        first = error.errors()[0]
                        invalid[place] = validation_error(first, first["loc"][2:])
            await asyncio.sleep(0)
        return body, invalid

    def _validated_items(self, items: Sequence[object]) -> list[object]:
        found = self._adapter.validate_json(to_json(items, inf_nan_mode="constants"))
        return found if isinstance(found, list) else [found]

    def _validated(self, content: bytes) -> object:
        try:
            return self._adapter.validate_json(content)
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False)) from None


def _check_brackets(content: bytes) -> None:
    """Raise `RefusedError` if parsing would make too many objects."""
    if content.count(b"[") + content.count(b"{") <= _MOST_BRACKETS:
        return
    bare = _STRING.sub(b"", content)
    if bare.count(b"[") + bare.count(b"{") > _MOST_BRACKETS:
        raise RefusedError(
            413,
            f"A request may have at most {_MOST_BRACKETS:,} lists and objects.",
            SMALLER_REQUESTS,
        )


def _check_fields(item: object) -> None:
    """Raise `RequestValidationError` if an object has too many fields."""
    if isinstance(item, dict) and len(item) > _MOST_FIELDS:
        raise _invalid(
            "too_long", f"Object should have at most {_MOST_FIELDS} fields, not {len(item)}"
        )


def _invalid(kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": kind, "loc": (), "msg": message}])


def _own_headers(response: Response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name not in ("content-length", "content-type")
    }
