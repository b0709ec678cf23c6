"""info: facts about a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import json_option, model_argument
from embedkit.cli.output import print_json

if TYPE_CHECKING:
    from embedkit.storage.model_directory import StoredModel
    from embedkit.vectors.subwords import Subwords

__all__ = ["info"]

_LONGEST_LIST = 10


@click.command()
@model_argument
@json_option
def info(model: str, as_json: bool) -> None:
    """Show facts about a model and how it was trained."""
    from embedkit.encoders import is_foreign
    from embedkit.storage.model_directory import read_model
    from embedkit.vectors.subwords import stored_subwords

    if is_foreign(Path(model)):
        facts = _foreign_facts(model)
        print_json(facts) if as_json else _print_facts(facts)
        return
    stored = read_model(Path(model))
    facts = {
        "model": str(stored.path),
        "encoder": stored.config.get("encoder"),
        **_architecture(stored.config),
        "format": stored.config["format"],
        "words": len(stored.vocabulary),
        "dimension": stored.config.get("dimension"),
        "storage": stored.storage,
        "bytes": sum(path.stat().st_size for path in stored.path.iterdir()),
        "most_frequent": stored.vocabulary.words(range(min(10, len(stored.vocabulary)))),
        "subwords": _subwords_of(stored_subwords(stored.path, stored.config, stored.tensors)),
        "index": _index_of(stored),
        "settings": stored.config.get("settings", {}),
        "training": stored.config.get("training", {}),
    }
    if as_json:
        print_json(facts)
        return
    _print_facts(facts)


def _architecture(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the architecture that trained a model, by that name, if it is known."""
    from embedkit.storage.config_file import architecture_of

    found = architecture_of(config)
    return {} if found is None else {"architecture": found}


def _subwords_of(subwords: Subwords | None) -> dict[str, object]:
    """Return facts about character n-grams, or an empty dictionary without them."""
    if subwords is None:
        return {}
    return {**subwords.config, "rows": len(subwords.rows), "storage": subwords.storage}


def _index_of(stored: StoredModel) -> Mapping[str, object]:
    """Return facts about the approximate index, or an empty mapping without one."""
    from embedkit.storage.index_file import describe_index

    return describe_index(stored)


def _foreign_facts(path: str) -> dict[str, object]:
    from embedkit.formats import detect, read

    vectors = read(path)
    return {
        "model": path,
        "format": detect(path),
        **_architecture(vectors.config),
        "words": len(vectors),
        "dimension": vectors.dimension,
        "subwords": _subwords_of(vectors.subwords) or None,
        "most_frequent": vectors.vocabulary.words(range(min(10, len(vectors)))),
        "settings": dict(vectors.config.get("settings", {})),
    }


def _print_facts(facts: Mapping[str, object], indent: str = "") -> None:
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if isinstance(value, dict):
            if value:
                click.echo(f"{indent}{name}")
                _print_facts(value, indent + "  ")
            continue
        click.echo(f"{indent}{name:<{width}}  {_readable(value)}")


def _readable(value: object) -> str:
    if isinstance(value, list):
        shown = value if len(value) <= _LONGEST_LIST else [*value[:3], "...", value[-1]]
        return " ".join(map(_readable, shown))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)
