"""A picture of what excites the units of a network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.unit_inspection import NetworkInspection, UnitLayer
from embedkit.plotting.figures import SIZE
from embedkit.plotting.unit_map import UnitBox, UnitColumn, draw_units

__all__ = ["unit_picture"]

_MOST_BOXES = 100
_COLUMN, _BOX = 530, 95  # pixels for a layer and for a unit
_CAPTION = (
    "The words that excite each unit most. Solid blue lines excite, dashed orange lines inhibit; "
    "the wider, the larger the weight. Small weights are left out."
)


def unit_picture(
    found: NetworkInspection,
    path: str | os.PathLike[str],
    *,
    dark: bool = False,
    overwrite: bool = False,
) -> None:
    """Draw the layers of a network as columns, and lines between units by weight.

    Units are placed near the units of the next layer that they excite.

    Args:
        found: what excites the units.
        path: ends in .png, .svg or .pdf.
        dark: use a dark background.
        overwrite: replace an existing file.

    Raises:
        ConfigurationError: the suffix is unknown, or matplotlib is not installed.
        OutputExistsError: the file exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    layers = _most_important(found)
    orders = _orders(layers)
    columns = []
    for number, layer in enumerate(layers):
        order = orders[number]
        boxes = tuple(
            UnitBox(layer.units[place].name, tuple(word.name for word in layer.units[place].words))
            for place in order.tolist()
        )
        shown = len(layer.units)
        count = f" ({shown} of {layer.size:,})" if shown < layer.size else ""
        before = orders[number - 1] if number else np.zeros(0, dtype=np.int64)
        columns.append(
            UnitColumn(f"{layer.name}{count}", boxes, layer.weights[np.ix_(before, order)])
        )
    tallest = max(len(column.boxes) for column in columns)
    size = (max(_COLUMN * len(columns), SIZE[0]), max(_BOX * tallest, SIZE[1]))
    draw_units(columns, path, caption=_CAPTION, size=size, dark=dark, overwrite=overwrite)


def _most_important(found: NetworkInspection) -> tuple[UnitLayer, ...]:
    """Return the layers with as many units as a picture has room for."""
    layers: list[UnitLayer] = []
    for layer in found.layers:
        before = len(layers[-1].units) if layers else 0
        weights = layer.weights[:before, :_MOST_BOXES]
        layers.append(replace(layer, units=layer.units[:_MOST_BOXES], weights=weights))
    return tuple(layers)


def _orders(layers: Sequence[UnitLayer]) -> list[NDArray[np.int64]]:
    """Return the order of the units of each layer: by the mean place of those that they excite."""
    orders = [np.arange(len(layers[-1].units))]
    for layer in layers[:0:-1]:
        places = np.empty(len(layer.units))
        places[orders[0]] = np.arange(len(layer.units))
        positive = np.maximum(layer.weights, 0) ** 2
        means = positive @ places / np.maximum(positive.sum(axis=1), 1e-12)
        orders.insert(0, np.argsort(means, kind="stable"))
    return orders
