"""config.json: written as JSON, and every damage is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedkit.encoders import load
from embedkit.errors import ModelError
from embedkit.storage.config_file import read_config, write_config
from embedkit.storage.model_directory import FORMAT, read_model
from tests.storage.conftest import CONFIG, assert_damage_is_reported


def test_settings_come_back(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    write_config(path, {"format": 1, **CONFIG})
    assert read_config(path, 1) == {"format": 1, **CONFIG}
    assert "Grüße" in path.read_text(encoding="utf-8")
    assert path.read_text().endswith("}\n")


def test_number_that_is_not_finite_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_config(tmp_path / "config.json", {"format": 1, "loss": float("nan")})


@pytest.mark.parametrize(("kind", "described"), [("b", "a b"), (None, "something else")])
def test_another_kind_is_an_error(tmp_path: Path, kind: str | None, described: str) -> None:
    path = tmp_path / "config.json"
    write_config(path, {"format": 1, "kind": kind})
    with pytest.raises(ModelError, match=f"holds {described}, not a c"):
        read_config(path, 1, "c")


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{tmp_path} as a c: it has no config.json") as raised:
        read_config(tmp_path / "config.json", 1, "c")
    assert raised.value.hint
    with pytest.raises(ModelError, match="none as a model: it does not exist"):
        read_config(tmp_path / "none" / "config.json", 1)


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        b"1",
        b"null",
        b"{}",
        b'{"format": "1"}',
        b'{"format": null}',
        b"[" * 100_000,
    ],
    ids=lambda config: config[:12].decode(errors="replace") or "empty",
)
def test_damaged_config_is_reported(path: Path, config: bytes) -> None:
    (path / "config.json").write_bytes(config)
    assert_damage_is_reported(path)


def test_newer_format_names_both_versions(path: Path) -> None:
    (path / "config.json").write_text(json.dumps({**CONFIG, "format": FORMAT + 1}))
    assert_damage_is_reported(path)
    with pytest.raises(ModelError, match=f"format {FORMAT + 1}.*up to {FORMAT}"):
        read_model(path)


@pytest.mark.parametrize(
    "config",
    [
        {"encoder": "glove"},
        {"encoder": None},
        {"encoder": "skipgram", "settings": []},
        {"encoder": "skipgram", "settings": {"window": 99}},
        {"encoder": "skipgram", "training": 5},
        {"encoder": "onehot", "settings": {"min_count": "many"}},
        {"encoder": "charcode", "settings": 1},
    ],
    ids=repr,
)
def test_settings_that_make_no_encoder_are_reported(path: Path, config: dict[str, object]) -> None:
    (path / "config.json").write_text(json.dumps({"format": FORMAT, **config}))
    assert_damage_is_reported(path, load)
