"""The text classifiers that a worker serves, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from embedkit.errors import quoted
from embedkit.service.http.errors import RefusedError

if TYPE_CHECKING:
    from embedkit.classification.text_classifier import TextClassifier

__all__ = ["Classifiers"]


class Classifiers:
    """Text classifiers, which are opened when the worker starts.

    They do not need torch. The memory map of their vectors is shared by all workers.

    Args:
        paths: the name and the directory of each; the first is the default.

    Raises:
        ModelError: a directory is missing, damaged, or not a classifier.
    """

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._classifiers: dict[str, TextClassifier] = {}
        for name, path in paths.items():
            from embedkit.classification.text_classifier import TextClassifier

            self._classifiers[name] = TextClassifier.load(path)

    def named(self, name: str | None) -> tuple[str, TextClassifier]:
        """Return the name and the classifier, or the default classifier for None.

        Raises:
            RefusedError: there is no such classifier.
        """
        chosen = next(iter(self._classifiers), "") if name is None else name
        if chosen not in self._classifiers:
            names = ", ".join(self._classifiers)
            raise RefusedError(
                404,
                f"There is no classifier {quoted(chosen)}."
                if chosen
                else "This service has no classifiers.",
                f"Choose from {names}." if names else "Start it with --classifier PATH.",
            )
        return chosen, self._classifiers[chosen]
