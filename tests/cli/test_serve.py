"""serve: what is checked before the service starts; tests/service has the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from embedkit.service import server
from embedkit.service.listening import ListenAddress
from embedkit.service.settings import ServiceSettings
from tests.conftest import Command

Started = list[tuple[ServiceSettings, ListenAddress]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """The services that were started, instead of which nothing happens."""
    found: Started = []
    monkeypatch.setattr(server, "serve", lambda *service: found.append(service))
    return found


def test_options_reach_the_service(inside: Command, started: Started, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a-key-of-some-length\nanother-key-of-some-length\n")
    done = inside(
        "serve", "words", "--host", "0.0.0.0", "--port", 0, "--workers", 3, "--reload-model",
        "--api-key-file", "keys", "--cors-origin", "https://example.org", "--queue", 7,
        "--body-limit", 99, "--timeout", 2.5, "--access-log",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ((settings, address),) = started
    assert address == ListenAddress("0.0.0.0", 0, 3, True, True)
    assert (settings.models, len(settings.keys)) == ({"words": Path("words")}, 2)
    assert settings.origins == ("https://example.org",)
    assert (settings.queue, settings.body_limit, settings.timeout) == (7, 99, 2.5)


def test_a_public_address_needs_a_key(inside: Command, started: Started) -> None:
    done = inside("serve", "words", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "key" in done.stderr
    assert not started
    assert inside("serve", "words", "--host", "0.0.0.0", "--insecure").returncode == 0


def test_the_name_of_a_model_is_that_of_its_directory(inside: Command, started: Started) -> None:
    here = Path.cwd().name
    for model in (".", "../" + here, "..", "words/.."):
        assert inside("serve", model).returncode == 0
    names = [name for settings, _ in started for name in settings.models]
    assert names == [here, here, Path.cwd().parent.name, here]


def test_several_models_have_names(inside: Command, started: Started) -> None:
    done = inside("serve", "--model", "en=words", "--model", "de=a=b", "--model", "x/fr.embedkit")
    assert done.returncode == 0, done.stderr
    ((settings, _),) = started
    expected = {"en": Path("words"), "de": Path("a=b"), "fr": Path("x/fr.embedkit")}
    assert settings.models == expected
    assert [*settings.models] == [*expected]
    done = inside("serve", "--model", "a/words", "--model", "b/words.embedkit")
    assert done.returncode == 2
    assert "--model: both a/words and b/words.embedkit have the name words" in done.stderr
    assert "--model NAME=PATH" in done.stderr


def test_a_key_file_that_others_can_read_is_reported(
    inside: Command, started: Started, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key-of-some-length\n")
    keys.chmod(0o640)
    done = inside("serve", "words", "--api-key-file", keys)
    assert done.returncode == 0
    assert f"Warning: {keys} can be read by other users" in done.stderr
    keys.chmod(0o600)
    assert "Warning" not in inside("serve", "words", "--api-key-file", keys).stderr
    assert len(started) == 2


def test_a_temporary_directory_that_does_not_exist_is_an_error(
    inside: Command, started: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    done = inside("serve", "words")
    assert done.returncode == 2
    assert f"TMPDIR is {tmp_path / 'none'}, which is not a directory" in done.stderr
    assert not started


def test_a_missing_package_is_named(inside: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedkit.service.server", None)
    monkeypatch.delitem(sys.modules, "uvicorn", raising=False)
    done = inside("serve", "words")
    assert done.returncode == 2
    assert "pip install 'embedkit[serve]'" in done.stderr


def test_a_public_host_may_be_insecure(inside: Command, started: Started) -> None:
    done = inside("serve", "words", "--host", "0.0.0.0", "--insecure")
    assert done.returncode == 0, done.stderr
    ((settings, address),) = started
    assert (settings.keys, address.host) == ((), "0.0.0.0")
