"""The config.json of every directory that embedkit saves: models, networks and classifiers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedkit.errors import ModelError

__all__ = ["CONFIG", "RESTORE_HINT", "read_config", "write_config"]

CONFIG = "config.json"
"""The name of the file."""

RESTORE_HINT = "Train the model again, or restore it from a copy."
"""What to do about any damaged or incomplete directory that embedkit saved."""


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write settings as indented JSON.

    Args:
        path: the file.
        config: with the key "format", the version of the directory's layout.

    Raises:
        TypeError: a value cannot be represented in JSON.
        ValueError: a number is not finite.
    """
    text = json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_config(path: Path, newest: int, kind: str | None = None) -> dict[str, Any]:
    """Return the settings that `write_config` wrote.

    Args:
        path: the file.
        newest: the latest version of the directory's layout that the caller can read.
        kind: the expected value of the key "kind", if the directory must be of one kind.

    Raises:
        ModelError: the file is missing or damaged, or the directory is too new or of another kind.
    """
    folder = path.parent
    if not path.is_file():
        problem = f"it holds no {path.name}" if folder.is_dir() else "it does not exist"
        raise ModelError(
            f"cannot open {folder} as a {kind or 'model'}: {problem}.", hint=RESTORE_HINT
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ModelError(f"{path} is damaged: {error}.", hint=RESTORE_HINT) from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} is damaged: it is not a JSON object.", hint=RESTORE_HINT)
    if kind is not None and (found := config.get("kind", config.get("encoder"))) != kind:
        raise ModelError(f"{folder} holds {_described(found)}, not a {kind}.")
    version = config.get("format")
    if not isinstance(version, int):
        raise ModelError(
            f"{path} has no format version: {folder} is not an embedkit model.",
            hint="Pass a directory that embedkit train wrote.",
        )
    if version > newest:
        raise ModelError(
            f"{folder} has format {version}; this version of embedkit reads up to {newest}.",
            hint="Upgrade with pip install --upgrade embedkit.",
        )
    return config


def _described(kind: Any) -> str:
    return f"a {kind}" if isinstance(kind, str) else "something else"
