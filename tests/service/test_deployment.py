"""The systemd unit, and running without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.service.servers import Start

ROOT = Path(__file__).parents[2]


def test_the_systemd_unit_is_valid(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (ROOT / "docs" / "guides" / "embedkit.service").read_text()
    unit = tmp_path / "embedkit.service"
    unit.write_text(text.replace("/opt/embedkit/bin/embedkit", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_runs_without_torch(start: Start, model: Path, tmp_path: Path) -> None:
    """The image of the Dockerfile does not have it."""
    (tmp_path / "torch.py").write_text("raise ImportError('torch is not installed')\n")
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = start(model, PYTHONPATH=paths)
    with httpx.Client(base_url=server.url) as client:
        words = {"words": ["paris", "france"]}
        for path, asked in (
            ("neighbors", {"word": "paris"}),
            ("query", {"expression": "paris - france"}),
            ("compare", words),
            ("project", words),
            ("embeddings", {"input": "paris", "model": "model"}),
        ):
            assert client.post(f"/v1/{path}", json=asked).status_code == 200
        assert client.get("/v1/map").status_code == 200
