"""Reads the body of a POST directly into the model that a route names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from embedkit.service.http.errors import DOCS_HINT, ErrorBody, RefusedError, error_body
from embedkit.service.http.json_response import json_response
from embedkit.service.limits import MAX_BATCH
from embedkit.service.worker.cancellation import Handle

__all__ = ["JsonBodyRoute", "validation_error"]

_LARGE_BODY = 16 << 10  # bytes, which take longer than a millisecond
_ITEMS = 8  # of a large batch that are validated at a time


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
        adapter = TypeAdapter(hints["body"])

        async def handle(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                raise RefusedError(
                    415,
                    "The body must be JSON.",
                    "Send the header Content-Type: application/json.",
                )
            content = await request.body()
            try:
                body = await _validated(adapter, content)
            except ValidationError as error:
                problems = error.errors(include_url=False)
                invalid = _invalid_items(problems)
                if not invalid:
                    raise RequestValidationError(problems) from None
            else:
                return await endpoint(body)
            items = from_json(content)
            valid = [item for place, item in enumerate(items) if place not in invalid]
            if not valid:
                return json_response([*invalid.values()])
            response = await endpoint(
                adapter.validate_json(to_json(valid, inf_nan_mode="constants"))
            )
            answers = iter(from_json(bytes(response.body)))
            merged = [invalid.get(place) or next(answers) for place in range(len(items))]
            return json_response(merged, headers=_own_headers(response))

        return handle


async def _validated(adapter: TypeAdapter[object], content: bytes) -> object:
    """Return the body of a request; between the parts of a large batch, others have a turn.

    Raises:
        ValidationError: the body is not valid.
    """
    if len(content) < _LARGE_BODY or content.lstrip()[:1] != b"[":
        return adapter.validate_json(content)
    await asyncio.sleep(0)
    try:
        items = from_json(content)
    except ValueError:
        return adapter.validate_json(content)  # raises the error that pydantic describes
    if not 0 < len(items) <= MAX_BATCH:
        return adapter.validate_json(content)
    body: list[object] = []
    try:
        for start in range(0, len(items), _ITEMS):
            await asyncio.sleep(0)
            part = to_json(items[start : start + _ITEMS], inf_nan_mode="constants")
            found = adapter.validate_json(part)
            body += found if isinstance(found, list) else [found]
    except ValidationError:
        return adapter.validate_json(content)  # for the places of all errors in the batch
    return body


def _invalid_items(problems: Sequence[Any]) -> dict[int, ErrorBody]:
    """Return the errors of the items of a batch by place; none if the batch itself is invalid."""
    found: dict[int, ErrorBody] = {}
    for problem in problems:
        location = problem["loc"]
        if len(location) < 2 or location[0] != "many" or not isinstance(location[1], int):
            return {}
        found.setdefault(location[1], validation_error(problem, location[2:]))
    return found


def _own_headers(response: Response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name not in ("content-length", "content-type")
    }
