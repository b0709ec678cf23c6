"""Reads the body of a POST directly into the model that a route names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from embedkit.service.http.errors import RefusedError
from embedkit.service.worker.dispatch import Handle

__all__ = ["JsonBodyRoute"]


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
            try:
                body = adapter.validate_json(await request.body())
            except ValidationError as error:
                raise RequestValidationError(error.errors(include_url=False)) from None
            return await endpoint(body)

        return handle
