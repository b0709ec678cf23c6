"""The options of commands whose answers are the nearest words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import (
    encoder_option,
    json_option,
    k_option,
    metric_option,
    model_option,
    oov_option,
    restrict_option,
)

if TYPE_CHECKING:
    from embedkit.vectors.options import SearchKeywords
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["QuestionOptions", "question_options"]

_OPTIONS = (
    k_option,
    metric_option(),
    restrict_option,
    click.option(
        "--exclude", multiple=True, metavar="WORD", help="Word that must not answer; repeatable."
    ),
    click.option(
        "--include-question", is_flag=True, help="Let words of the question be answers too."
    ),
    oov_option,
    encoder_option,
    model_option,
    click.option("--exact", is_flag=True, help="Search without the model's approximate index."),
    json_option,
)


@dataclass(frozen=True)
class QuestionOptions:
    """The options of a command whose answers are the nearest words."""

    k: int
    metric: str
    restrict: int | None
    exclude: tuple[str, ...]
    include_question: bool
    oov: str
    encoder: str | None
    model: str
    exact: bool
    as_json: bool

    def vectors(self) -> WordVectors:
        """Open the model."""
        from embedkit.encoders import load

        return load(self.model, encoder=self.encoder, exact=self.exact)

    @property
    def search(self) -> SearchKeywords:
        """The keyword arguments of the methods of `WordVectors`, besides k and metric."""
        return {
            "restrict": self.restrict,
            "exclude": self.exclude,
            "include_question": self.include_question,
            "oov": self.oov,
        }


def question_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `QuestionOptions`; the command gets them as one argument, *options*."""

    @functools.wraps(command)
    def gathered(**given: Any) -> None:
        options = {field.name: given.pop(field.name) for field in fields(QuestionOptions)}
        command(options=QuestionOptions(**options), **given)

    decorated: Callable[..., None] = gathered
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
