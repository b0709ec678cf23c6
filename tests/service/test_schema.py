"""The service conforms to its OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.service.servers import Server

if TYPE_CHECKING:
    import schemathesis

OPERATIONS = 20


@pytest.fixture(scope="module")
def schema(server: Server) -> schemathesis.schemas.BaseSchema:
    import schemathesis  # slow to import

    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_the_service_conforms_to_its_document(
    schema: schemathesis.schemas.BaseSchema, kind: str
) -> None:
    """No 5xx; statuses and types as documented; requests that violate the schema are rejected.

    Valid requests may be rejected too: no schema says which expressions can be parsed.
    """
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import (
        negative_data_rejection,
        positive_data_acceptance,
    )

    mode = GenerationMode(kind)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == OPERATIONS
    statuses = set()
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
            continue

        @settings(
            max_examples=15 if mode is GenerationMode.POSITIVE else 8,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            excluded = [positive_data_acceptance]
            is_batch = mode is GenerationMode.NEGATIVE and isinstance(case.body, list)
            if is_batch:  # objects that violate the schema get an error each
                excluded.append(negative_data_rejection)
            answer = case.call_and_validate(excluded_checks=excluded)
            if is_batch and answer.status_code == 200:
                assert any("error" in one for one in answer.json())
            statuses.add(answer.status_code)

        check()
    assert statuses >= ({200, 404} if mode is GenerationMode.POSITIVE else {422})


def _takes_anything(operation: schemathesis.schemas.APIOperation) -> bool:
    return bool(list(operation.body) or list(operation.query))
