"""The config.json of every directory that embedkit saves: models, networks and classifiers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from embedkit.errors import ModelError

__all__ = [
    "CONFIG",
    "FILES",
    "INDEX",
    "MODEL_FILES",
    "RESTORE_HINT",
    "TENSORS",
    "VOCABULARY",
    "architecture_of",
    "own_files",
    "read_config",
    "reading_errors",
    "was_saved_here",
    "write_config",
]

CONFIG = "config.json"
"""The name of the file."""

RESTORE_HINT = "Train or build it again, or restore it from a copy."
"""What to do about any damaged or incomplete directory that embedkit saved."""

VOCABULARY, TENSORS, INDEX = "vocabulary.arrow", "vectors.safetensors", "index.faiss"
"""The names of a model's other files."""

FILES = "files"
"""The entry of config.json that lists the files of a directory, relative to it."""

MODEL_FILES = (CONFIG, VOCABULARY, TENSORS, INDEX)
_NETWORK_FILES = (CONFIG, VOCABULARY, "network.safetensors")
_CLASSIFIER_FILES = (
    "pooling.safetensors",
    "linear.safetensors",
    "words.arrow",
    *(f"network/{name}" for name in _NETWORK_FILES),
    *(f"vectors/{name}" for name in MODEL_FILES),
)


def architecture_of(config: Mapping[str, Any]) -> str | None:
    """Return the architecture that trained a model, "skipgram" or "cbow"; None if not known.

    The encoder alone does not tell: both trained encoders have both architectures.
    """
    settings = config.get("settings")
    found = settings.get("architecture") if isinstance(settings, Mapping) else None
    return found if isinstance(found, str) else None


def was_saved_here(folder: Path) -> bool:
    """Tell whether embedkit wrote a directory; other programs also write a config.json.

    Raises:
        OSError: its files cannot be read.
    """
    if not (folder / CONFIG).is_file():
        return False
    if (folder / VOCABULARY).is_file():
        return True  # also if config.json is damaged
    config = _config_in(folder)
    return "format" in config and ("kind" in config or "encoder" in config)


def own_files(folder: Path) -> frozenset[str]:
    """Return the paths of files that embedkit writes in a directory like this one.

    They are replaced when the directory is overwritten; the user's own files in it are kept. A
    directory whose files have no fixed names lists them in its config.json, under "files".
    """
    if not was_saved_here(folder):
        return frozenset()
    config = _config_in(folder)
    nested = _CLASSIFIER_FILES if "kind" in config else ()
    listed = config.get(FILES)
    names = map(str, listed if isinstance(listed, list) else ())
    return frozenset({*MODEL_FILES, *_NETWORK_FILES, *nested, *names})


def _config_in(folder: Path) -> Mapping[str, object]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


@contextlib.contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Turn an OSError raised while *path* is read into a `ModelError`."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"cannot read {error.filename or path}: {error.strerror or error}.",
            hint="Check the path and its permissions.",
        ) from error


def write_config(path: Path, config: Mapping[str, object]) -> None:
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
    with reading_errors(path):
        problem = f"it has no {path.name}" if folder.is_dir() else "it does not exist"
        problem = "it is a file" if folder.is_file() else problem
        exists = path.is_file()
    if not exists:
        raise ModelError(
            f"cannot open {folder} as a {kind or 'model'}: {problem}.",
            hint=f"Pass a directory that embedkit wrote, or make a {kind or 'model'} first.",
        )
    try:
        with reading_errors(path):
            config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
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


def _described(kind: object) -> str:
    return f"a {kind}" if isinstance(kind, str) else "something else"
