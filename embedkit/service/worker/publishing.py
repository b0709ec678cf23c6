"""Publishes models: the supervisor checks a model and writes a copy that all workers map.

    folder/
      current -> 3            the generation to serve
      2/  3/                  model directories, with additional "units": the rows at length 1;
                              models with character n-grams keep their rows

Workers map the same file, so another worker does not need another copy of the vectors. The copy
does not depend on the original directory, which training may overwrite.
"""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path

from embedkit.encoders import load_encoder
from embedkit.encoders.names import UNTRAINED_ENCODERS
from embedkit.errors import EmbedkitError, ModelError
from embedkit.index.metrics import Matrix, UnitRows, require_finite, row_norms
from embedkit.storage.model_directory import write_model
from embedkit.system.memory import release_heap
from embedkit.vectors.subwords import Subwords

__all__ = ["CURRENT", "Publisher", "write_serving_copy"]

CURRENT = "current"
_POLL_SECONDS = 1.0
_NOT_SERVED = "The new model %s cannot be served. Still serving the old one: %s"
_log = logging.getLogger("embedkit.service")


def write_serving_copy(model: Path, target: Path) -> None:
    """Write a copy of a model to *target*, with rows at length 1, without the data for training.

    Raises:
        ModelError: the model is missing, unreadable, damaged, empty or in an unknown format, or
            contains numbers that are not finite.
        StorageError: the disk is full, or the path is not writable.
    """
    try:
        encoder = load_encoder(model, context=False)
    except OSError as error:  # from reading the model; the copy is written later
        raise ModelError(
            f"cannot read {error.filename or model}: {error.strerror}.",
            hint="Check the path and its permissions.",
        ) from error
    if len(encoder.vocabulary) == 0:
        raise ModelError(f"{model} has no words.", hint="Train it again.")
    vectors = encoder.vectors()
    if encoder.name in UNTRAINED_ENCODERS:  # its vectors are computed from its words
        encoder.save(target)
        return
    norms = row_norms(vectors.matrix)
    try:
        require_finite(norms, vectors.vocabulary.__getitem__)
        if isinstance(vectors.subwords, Subwords):
            vectors.subwords.require_finite()
    except ModelError as error:
        raise ModelError(f"{model} is damaged: {error.message}", hint=error.hint) from None
    tensors: dict[str, Matrix] = {
        "vectors": vectors.matrix,
        "norms": norms,
        "units": UnitRows(vectors.matrix, norms),
    }
    config = {"encoder": "vectors", **vectors.config}
    config.pop("subwords", None)
    if isinstance(vectors.subwords, Subwords):
        config["subwords"] = vectors.subwords.config
        tensors |= vectors.subwords.tensors
    write_model(target, config=config, vocabulary=vectors.vocabulary, tensors=tensors)


class Publisher:
    """Publishes a model and its later versions.

    Args:
        name: the name of the model in the log.
        model: the model directory, or another program's file of vectors.
        folder: the directory that workers watch; it is created.
    """

    def __init__(self, name: str, model: Path, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._name = name
        self._model = model
        self._folder = folder
        self._requested = threading.Event()
        self._seen = self._published = self._fingerprint()
        self.generation = 0

    def publish(self) -> None:
        """Publish the model in its current state.

        Raises:
            EmbedkitError: it cannot be served; the previous generation is still served.
        """
        generation = self.generation + 1
        target = self._folder / str(generation)
        try:
            write_serving_copy(self._model, target)
            load_encoder(target)  # checks that workers can open it
        finally:
            release_heap()
        link = self._folder / f".{CURRENT}"
        link.symlink_to(target.name)
        link.replace(self._folder / CURRENT)
        self.generation = generation
        # A worker that is about to open the removed generation retries with the current one.
        shutil.rmtree(self._folder / str(generation - 2), ignore_errors=True)

    def request(self) -> None:
        """Make `watch` publish the model in its current state."""
        self._requested.set()

    def watch(self, *, every_change: bool) -> None:
        """Publish on request and, if *every_change*, whenever the directory changes."""
        while True:
            requested = self._requested.wait(_POLL_SECONDS)
            self._requested.clear()
            before, self._seen = self._seen, self._fingerprint()
            if requested and self._seen == self._published:
                _log.info("The model %s has not changed since it was published.", self._name)
            elif requested or (every_change and self._seen != before):
                self._publish_or_log()

    def _publish_or_log(self) -> None:
        try:
            self.publish()
            self._published = self._seen
        except (EmbedkitError, OSError) as error:
            _log.error(_NOT_SERVED, self._name, error)
        except Exception as error:  # noqa: BLE001 - the thread goes on with later versions
            _log.exception(_NOT_SERVED, self._name, repr(error))
        else:
            _log.info("Published generation %d of the model %s.", self.generation, self._name)

    def _fingerprint(self) -> list[tuple[str, int, int, int]]:
        """Return a fingerprint of the state of the model, a directory or a file."""
        try:
            files = self._model.iterdir() if self._model.is_dir() else [self._model]
            stats = sorted((file.name, file.stat()) for file in files)
        except OSError:
            return []
        return [(name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
