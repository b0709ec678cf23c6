"""The model that a worker serves, and switching to newer ones."""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from embedkit.encoders import load_encoder
from embedkit.errors import ConfigurationError, EmbedkitError
from embedkit.service.http.compression import gzipped
from embedkit.service.http.json_response import GENERATION_HEADER, JsonObject
from embedkit.service.limits import MAX_WORD
from embedkit.service.worker.publishing import CURRENT
from embedkit.storage.config_file import architecture_of
from embedkit.vectors.expressions import in_expression
from embedkit.vectors.projection import Projection, principal_plane

__all__ = ["ModelHolder", "ServedModel"]

_POLL_SECONDS = 0.25
_MAX_EXAMPLES = 8
_WELL_KNOWN = {  # and the answer that a person expects
    "king - man + woman": "queen",
    "paris - france + italy": "rome",
    "bigger - big + cold": "colder",
    "sushi - japan + germany": "bratwurst",
    "berlin - germany + spain": "madrid",
    "brother - man + woman": "sister",
    "walking - walk + swim": "swimming",
    "windows - microsoft + google": "android",
    "better - good + bad": "worse",
    "prince - boy + girl": "princess",
    "tokyo - japan + china": "beijing",
    "dollar - america + japan": "yen",
}
_log = logging.getLogger("embedkit.service")


class ServedModel:
    """One generation of the model.

    Args:
        path: a model directory.
        name: the name of the model in responses.
        generation: number of models served so far, including this one.
    """

    def __init__(self, path: Path, name: str, generation: int) -> None:
        self.encoder = load_encoder(path)
        self.vectors = self.encoder.vectors()
        self.name = name
        self.generation = generation
        self.opened = int(time.time())

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each response that was computed with this model."""
        return {GENERATION_HEADER: str(self.generation)}

    @cached_property
    def plane(self) -> Projection:
        """The plane of the map.

        Raises:
            ConfigurationError: the vectors are one-hot.
        """
        if self.vectors.is_sparse:
            raise ConfigurationError(
                "one-hot vectors have no principal components, so there is no map.",
                hint='Use "fit": "words".',
            )
        return principal_plane(self.vectors.units)

    @cached_property
    def map(self) -> tuple[bytes, str]:
        """Coordinates of all words on the plane, little-endian float32 (V, 2), and an ETag."""
        places = self.plane.apply(self.vectors.units).astype("<f4").tobytes()
        return places, f'W/"{zlib.crc32(places):08x}-{len(self.vectors)}"'

    @cached_property
    def compressed_map(self) -> bytes:
        """The coordinates of all words in gzip's format."""
        return gzipped(self.map[0])

    @property
    def has_map(self) -> bool:
        """Whether the map has been computed."""
        return "compressed_map" in self.__dict__

    @cached_property
    def description(self) -> JsonObject:
        """The response of /v1/model, which contains no paths."""
        config = self.vectors.config
        return {
            "name": self.name,
            "encoder": self.encoder.name,
            "architecture": architecture_of(config),
            "words": len(self.vectors),
            "dimension": self.vectors.dimension,
            "subwords": config.get("subwords"),
            "format": config.get("format", 1),
            "settings": config.get("settings", {}),
            "training": config.get("training", {}),
            "generation": self.generation,
            "examples": (examples := self._examples()),
            "expected": {one: _WELL_KNOWN[one] for one in examples if one in _WELL_KNOWN},
        }

    def _examples(self) -> list[str]:
        """Return expressions that this model can answer."""
        known = [
            expression
            for expression in _WELL_KNOWN
            if all(self.vectors.find(word) >= 0 for word in expression.split()[::2])
        ]
        if not known:  # words of medium frequency
            frequent = self.vectors.vocabulary.words(range(min(len(self.vectors), 2_000)))
            known = [word for word in frequent if len(word) > 3 and word.isalpha()]
            known = known[len(known) // 10 :] or frequent
            known = [in_expression(word) for word in known if len(word) <= MAX_WORD]
        return known[:_MAX_EXAMPLES]


class ModelHolder:
    """Holds the model that this process serves now.

    Args:
        folder: the directory of `publishing.Publisher`.
        name: the name of the model in responses.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.current = self._open()

    def _published(self) -> str:
        return (self._folder / CURRENT).readlink().name

    def _open(self) -> ServedModel:
        while True:
            number = self._published()
            try:
                served = ServedModel(self._folder / number, self._name, int(number))
                # Import modules and read the pages of the file before the first request.
                first = served.vectors.norms.nonzero()[0][:1].tolist()
                served.vectors.nearest([[(row, 1.0)] for row in first], 1)
            except EmbedkitError:
                if self._published() == number:
                    raise
            else:
                return served

    async def follow(self, observe: Callable[[ServedModel], object]) -> None:
        """Switch to each new generation until cancelled; requests in progress keep the old one.

        Args:
            observe: called with each generation, including the first.
        """
        observe(self.current)
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                if self._published() != str(self.current.generation):
                    self.current = await asyncio.to_thread(self._open)
                    observe(self.current)
                    _log.info(
                        "Serving generation %d of the model %s.",
                        self.current.generation,
                        self._name,
                    )
            except (EmbedkitError, OSError) as error:
                _log.error(
                    "Still serving generation %d of the model %s: %s",
                    self.current.generation,
                    self._name,
                    error,
                )
