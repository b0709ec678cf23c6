"""How the body of a POST is read: straight from its bytes into the schema that a route names."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from embedkit.service.http.errors import RefusedError

__all__ = ["QuestionRoute"]


class QuestionRoute(APIRoute):
    """A route; if it has the parameter `asked`, that is all it has, and what the body is read into.

    pydantic reads JSON itself, several times faster than `json.loads` and a second pass over what
    that has made.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Any = self.endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        if "asked" not in hints:
            return super().get_route_handler()
        adapter = TypeAdapter(hints["asked"])

        async def answer(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise RefusedError(
                    415, "A question is JSON.", "Send the header Content-Type: application/json."
                )
            try:
                asked = adapter.validate_json(await request.body())
            except ValidationError as error:
                raise RequestValidationError(error.errors(include_url=False)) from None
            response: Response = await endpoint(asked)
            return response

        return answer
