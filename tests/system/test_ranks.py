"""One process, and what it takes to join others."""

from __future__ import annotations

import pytest

from embedkit.errors import ConfigurationError
from embedkit.system.ranks import SingleProcess, join


def test_single_process_needs_no_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert isinstance(join(), SingleProcess)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="MASTER_ADDR and MASTER_PORT not"):
        join()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert isinstance(join(), SingleProcess)
