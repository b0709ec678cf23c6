"""The models that a worker serves, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from embedkit.errors import quoted
from embedkit.service.http.errors import RefusedError
from embedkit.service.worker.served_model import ModelHolder, ServedModel

__all__ = ["ServedModels", "published_in"]


def published_in(folder: Path, number: int) -> Path:
    """Return the directory in which the supervisor publishes its model of this number."""
    return folder / f"model{number}"


class ServedModels:
    """The current generation of each model.

    Args:
        folder: the directory in which the supervisor publishes the models.
        names: the names of the models; the first is the default.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._holders = {
            name: ModelHolder(published_in(folder, number), name)
            for number, name in enumerate(names)
        }

    def __iter__(self) -> Iterator[ServedModel]:
        return (holder.current for holder in self._holders.values())

    def __len__(self) -> int:
        return len(self._holders)

    @property
    def names(self) -> list[str]:
        """The names of the models; the first is the default."""
        return [*self._holders]

    def named(self, name: str | None) -> ServedModel:
        """Return a model, or the default model for None.

        Raises:
            RefusedError: there is no such model.
        """
        chosen = self.names[0] if name is None else name
        if chosen not in self._holders:
            raise RefusedError(
                404,
                f"There is no model {quoted(chosen)}.",
                f"Choose from {', '.join(self.names)}.",
            )
        return self._holders[chosen].current

    async def follow(self, observe: Callable[[ServedModel], object]) -> None:
        """Switch to new generations until cancelled; requests in progress keep the old one.

        Args:
            observe: called with each generation of each model, including the first.
        """
        await asyncio.gather(*(holder.follow(observe) for holder in self._holders.values()))
