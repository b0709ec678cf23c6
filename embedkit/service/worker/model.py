"""The model that a worker holds, and how another takes its place."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from embedkit.encoders import load_encoder
from embedkit.errors import ConfigurationError, EmbedkitError
from embedkit.service.worker.publishing import CURRENT
from embedkit.vectors.projection import Projection, principal_plane

__all__ = ["Holder", "Served"]

_SECONDS = 0.25  # between two looks for a new generation
_EXAMPLES = 8
_LONGEST_EXAMPLE = 200  # schemas.Word takes no longer one
_WELL_KNOWN = (
    "king - man + woman",
    "paris - france + italy",
    "bigger - big + cold",
    "sushi - japan + germany",
    "berlin - germany + spain",
    "brother - man + woman",
    "walking - walk + swim",
    "windows - microsoft + google",
    "better - good + bad",
    "prince - boy + girl",
    "tokyo - japan + china",
    "dollar - america + japan",
)
_log = logging.getLogger("embedkit.service")


class Served:
    """One generation of the model.

    Args:
        path: a model directory.
        name: what it is called in answers.
        generation: how many models were served up to this one.
    """

    def __init__(self, path: Path, name: str, generation: int) -> None:
        self.encoder = load_encoder(path)
        self.vectors = self.encoder.vectors()
        self.name = name
        self.generation = generation

    @cached_property
    def plane(self) -> Projection:
        """The plane of the map.

        Raises:
            ConfigurationError: the vectors are one-hot.
        """
        if self.vectors.is_sparse:
            raise ConfigurationError(
                "one-hot vectors lie the same way in every direction: there is no map of them.",
                hint='Ask with "fit": "words".',
            )
        return principal_plane(self.vectors.units)

    @cached_property
    def map(self) -> tuple[bytes, str]:
        """All words on the plane, float32 (V, 2), little-endian, and a tag that tells it apart."""
        places = self.plane.apply(self.vectors.units).astype("<f4").tobytes()
        return places, f'"{zlib.crc32(places):08x}-{len(self.vectors)}"'

    @cached_property
    def description(self) -> dict[str, Any]:
        """What is told of the model; nothing of where it lies."""
        config = self.vectors.config
        return {
            "name": self.name,
            "encoder": self.encoder.name,
            "words": len(self.vectors),
            "dimension": self.vectors.dimension,
            "format": config.get("format", 1),
            "settings": config.get("settings", {}),
            "training": config.get("training", {}),
            "generation": self.generation,
            "examples": self._examples(),
        }

    def _examples(self) -> list[str]:
        """Return expressions that this model can answer."""
        known = [
            expression
            for expression in _WELL_KNOWN
            if all(self.vectors.find(word) >= 0 for word in expression.split()[::2])
        ]
        if not known:  # neither too frequent to mean much nor too rare
            frequent = self.vectors.vocabulary.words(range(min(len(self.vectors), 2_000)))
            known = [word for word in frequent if len(word) > 3 and word.isalpha()]
            known = known[len(known) // 10 :] or frequent
            known = [word for word in known if len(word) <= _LONGEST_EXAMPLE]
        return known[:_EXAMPLES]


class Holder:
    """The generation that this process serves now.

    Args:
        folder: what `publishing.Publisher` fills.
        name: what the model is called in answers.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.current = self._open()

    def _laid_out(self) -> str:
        return (self._folder / CURRENT).readlink().name

    def _open(self) -> Served:
        while True:
            number = self._laid_out()
            try:
                served = Served(self._folder / number, self._name, int(number))
                # What the first question would wait for: imports, and pages of the file.
                served.vectors.nearest([[(0, 1.0)]], 1)
            except EmbedkitError:
                if self._laid_out() == number:
                    raise
            else:
                return served

    async def follow(self, observe: Callable[[int], object]) -> None:
        """Change to every new generation, until cancelled; questions under way keep the old one.

        Args:
            observe: is told the generation, the first one as well.
        """
        observe(self.current.generation)
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                if self._laid_out() != str(self.current.generation):
                    self.current = await asyncio.to_thread(self._open)
                    observe(self.current.generation)
                    _log.info("Serving generation %d of the model.", self.current.generation)
            except (EmbedkitError, OSError) as error:
                _log.error("Generation %d stays: %s", self.current.generation, error)
