"""Which processes train together, and what they exchange."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.errors import ConfigurationError
from embedkit.system.ranks import SingleProcess, join

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"RANK": "3"},
        {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
    ],
)
def test_a_process_without_others_is_alone(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert isinstance(join(), SingleProcess)


def test_half_of_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="without MASTER_ADDR and MASTER_PORT") as caught:
        join()
    assert "torchrun" in caught.value.hint


def test_a_single_process_has_everything_already() -> None:
    alone = SingleProcess()
    assert (alone.rank, alone.size) == (0, 1)
    assert alone.gather(b"data") == [b"data"]
    numbers = np.arange(3)
    assert alone.total(numbers) is numbers
    assert alone.first(numbers) is numbers
