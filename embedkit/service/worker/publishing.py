"""New models: looked at once, by the supervisor, and laid out so that all workers can map them.

    folder/
      current -> 3            the generation to serve
      2/  3/                  model directories, with "units", the rows at length 1, as well

Workers map one and the same file, so a further worker costs no copy of the vectors; and what they
serve is theirs, whatever happens to the directory that training writes to.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embedkit.encoders import load_encoder
from embedkit.errors import EmbedkitError, ModelError
from embedkit.index.metrics import UnitRows, row_norms
from embedkit.storage.model_directory import write_model
from embedkit.system.memory import release_heap

__all__ = ["CURRENT", "Publisher", "lay_out"]

CURRENT = "current"
_SECONDS = 1.0  # between two looks at the model directory
_log = logging.getLogger("embedkit.service")


def lay_out(model: Path, target: Path) -> None:
    """Write a copy of a model to *target*, with its rows at length 1 and without what only training
    needs.

    Raises:
        ModelError: it is missing, damaged, of an unknown format, or holds what is not finite.
        StorageError: there is no room for the copy.
    """
    encoder = load_encoder(model)
    if len(encoder.vocabulary) == 0:
        raise ModelError(f"{model} knows no word.", hint="Train it again.")
    vectors = encoder.vectors()
    if encoder.name != "skipgram":  # its vectors are made of its words
        encoder.save(target)
        return
    norms = row_norms(vectors.matrix)
    if not np.isfinite(norms).all():
        raise ModelError(
            f"{model} is damaged: the vector of {vectors.vocabulary[int(np.argmin(norms))]!r} "
            "holds numbers that are not finite.",
            hint="Train it again.",
        )
    tensors: Mapping[str, Any] = {
        "vectors": vectors.matrix,
        "norms": norms,
        "units": UnitRows(vectors.matrix, norms),
    }
    config = {"encoder": "vectors", **vectors.config}
    config.pop("subwords", None)  # no question of the service is answered by n-grams
    write_model(target, config=config, vocabulary=vectors.vocabulary, tensors=tensors)


class Publisher:
    """Lays out a model, and later ones in its place.

    Args:
        model: the model directory, or another program's file of vectors.
        folder: where workers look.
    """

    def __init__(self, model: Path, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self._wanted = threading.Event()
        self._seen = self._published = self._look()
        self.generation = 0

    def publish(self) -> None:
        """Put the model as it is now in the place of the one that is served.

        Raises:
            EmbedkitError: it cannot be served; the one that is stays.
        """
        generation = self.generation + 1
        target = self._folder / str(generation)
        try:
            lay_out(self._model, target)
            load_encoder(target)  # what cannot be opened must not reach the workers
        finally:
            release_heap()
        link = self._folder / f".{CURRENT}"
        link.symlink_to(target.name)
        link.replace(self._folder / CURRENT)
        self.generation = generation
        # A worker that is about to open the one before last looks again.
        shutil.rmtree(self._folder / str(generation - 2), ignore_errors=True)

    def ask(self) -> None:
        """Have `watch` publish the model as it is now."""
        self._wanted.set()

    def watch(self, *, every_change: bool) -> None:
        """Publish when asked to, and if *every_change* whenever the directory changes; for ever."""
        while True:
            asked = self._wanted.wait(_SECONDS)
            self._wanted.clear()
            before, self._seen = self._seen, self._look()
            if asked and self._seen == self._published:
                _log.info("The model is the one that is served already.")
            elif asked or (every_change and self._seen != before):
                self._try()

    def _try(self) -> None:
        try:
            self.publish()
            self._published = self._seen
        except (EmbedkitError, OSError) as error:
            _log.error("The new model is refused, and the old one stays: %s", error)
        else:
            _log.info("Generation %d of the model is laid out.", self.generation)

    def _look(self) -> list[tuple[str, int, int, int]]:
        """Return what tells one state of the model, a directory or a file, from another."""
        try:
            files = self._model.iterdir() if self._model.is_dir() else [self._model]
            stats = sorted((file.name, file.stat()) for file in files)
        except OSError:
            return []
        return [(name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
