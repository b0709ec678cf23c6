"""The feature hierarchy of a network: which words and texts excite each of its units."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedkit.classification.network_classifier import NetworkClassifier
from embedkit.classification.network_explanation import shown_term
from embedkit.errors import UnknownWordsWarning
from embedkit.heads.gradients import Layers

__all__ = ["Excitation", "NetworkInspection", "Unit", "UnitLayer", "inspect_network"]

Array = NDArray[np.float64]

_BLOCK = 1 << 12  # rows


@dataclass(frozen=True)
class Excitation:
    """A word, n-gram or text, and the activation of a unit by it."""

    name: str
    value: float


@dataclass(frozen=True)
class Unit:
    """A unit of a network, or one of the labels.

    Attributes:
        number: its column in its layer, counted from 0.
        name: "unit 7" or the label.
        words: the words and n-grams that excite it most, each as a text of its own; only such with
            an activation above 0.
        texts: the texts that excite it most.
        importance: the standard deviation of its activation times the sum of the sizes of its
            outgoing weights; of a label, of its score alone.
    """

    number: int
    name: str
    words: tuple[Excitation, ...]
    texts: tuple[Excitation, ...]
    importance: float


@dataclass(frozen=True)
class UnitLayer:
    """A layer of a network.

    Attributes:
        name: "hidden layer 1" or "labels".
        size: how many units it has.
        units: those that are described, the most important first; labels are in their order.
        weights: from the units described of the previous layer, (units before, units); for the
            first layer, (0, units).
    """

    name: str
    size: int
    units: tuple[Unit, ...]
    weights: Array


@dataclass(frozen=True)
class NetworkInspection:
    """What excites the units of a network.

    Attributes:
        activation: of the hidden layers.
        layers: the hidden layers and the labels.
    """

    activation: str
    layers: tuple[UnitLayer, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the inspection as values that JSON can represent."""
        layers = []
        for number, layer in enumerate(self.layers):
            before = self.layers[number - 1].units if number else ()
            layers.append(
                {
                    "layer": layer.name, "size": layer.size,
                    "units": [
                        _unit_as_dict(unit, before, layer.weights[:, place])
                        for place, unit in enumerate(layer.units)
                    ],
                }
            )  # fmt: skip
        return {"head": "network", "activation": self.activation, "layers": layers}


def _unit_as_dict(unit: Unit, before: Sequence[Unit], weights: Array) -> dict[str, object]:
    return {
        "unit": unit.number, "name": unit.name, "importance": unit.importance,
        "words": [{"term": word.name, "activation": word.value} for word in unit.words],
        "texts": [{"text": text.name, "activation": text.value} for text in unit.texts],
        "inputs": [
            {"unit": source.number, "weight": float(weight)}
            for source, weight in zip(before, weights, strict=True)
        ],
    }  # fmt: skip


def inspect_network(
    classifier: NetworkClassifier,
    texts: Sequence[str] = (),
    *,
    k: int,
    units: int,
    restrict: int,
) -> NetworkInspection:
    """Return what excites the units of a network; see `inspect_classifier`."""
    layers = _all_labels(Layers.of(classifier.head.network_))
    by_word = _Strongest(layers, k)
    names, rows = _word_inputs(classifier, restrict)
    by_word.add(rows)
    by_text = _Strongest(layers, k)
    if len(texts):
        by_text.add(_text_inputs(classifier, texts))
    deviations = (by_text if len(texts) else by_word).deviations()
    labels = [str(label) for label in classifier.head.classes_]
    chosen = _most_important(layers, deviations, units)
    found = []
    for number, (kept, importance) in enumerate(chosen):
        is_last = number == len(chosen) - 1
        described = tuple(
            Unit(
                number=unit,
                name=labels[unit] if is_last else f"unit {unit}",
                words=by_word.excitations(number, unit, names),
                texts=by_text.excitations(number, unit, texts),
                importance=float(importance[unit]),
            )
            for unit in kept.tolist()
        )
        before = chosen[number - 1][0] if number else np.zeros(0, dtype=np.int64)
        weights = layers.weights[number][np.ix_(before, kept)]
        name = "labels" if is_last else f"hidden layer {number + 1}"
        found.append(UnitLayer(name, len(importance), described, weights))
    return NetworkInspection(layers.activation, tuple(found))


def _most_important(
    layers: Layers, deviations: Sequence[Array], most: int
) -> list[tuple[NDArray[np.int64], Array]]:
    """Return the units of each layer that are described, and the importance of all.

    The most important come first; all labels are described, in their order.
    """
    found = []
    for deviation, outgoing in zip(deviations, layers.weights[1:], strict=False):
        importance = deviation * np.abs(outgoing).sum(axis=1)
        found.append((np.argsort(-importance, kind="stable")[:most], importance))
    return [*found, (np.arange(len(deviations[-1])), deviations[-1])]


class _Strongest:
    """Finds the rows that excite each unit most, block by block."""

    def __init__(self, layers: Layers, k: int) -> None:
        self._layers, self._k = layers, k
        sizes = [len(biases) for biases in layers.biases]
        self._values = [np.zeros((0, size)) for size in sizes]
        self._rows = [np.zeros((0, size), dtype=np.int64) for size in sizes]
        self._sums = [np.zeros((2, size)) for size in sizes]
        self._count = 0

    def add(self, inputs: Any) -> None:
        """Add n rows, (n, features), dense or CSR."""
        for start in range(0, inputs.shape[0], _BLOCK):
            block = inputs[start : start + _BLOCK]
            dense = block if sparse.issparse(block) else block.astype(np.float64)
            for number, values in enumerate(self._layers.activations(dense)):
                self._merge(number, values)
            self._count += block.shape[0]

    def _merge(self, number: int, values: Array) -> None:
        self._sums[number] += np.stack([values.sum(axis=0), np.square(values).sum(axis=0)])
        rows = np.repeat(np.arange(len(values))[:, np.newaxis], values.shape[1], axis=1)
        values = np.concatenate([self._values[number], values])
        rows = np.concatenate([self._rows[number], rows + self._count])
        order = np.argsort(-values, axis=0, kind="stable")[: self._k]
        self._values[number] = np.take_along_axis(values, order, axis=0)
        self._rows[number] = np.take_along_axis(rows, order, axis=0)

    def deviations(self) -> list[Array]:
        """Return the standard deviation of each unit's activation, for each layer."""
        means = [sums / max(self._count, 1) for sums in self._sums]
        return [np.sqrt(np.maximum(squares - mean * mean, 0)) for mean, squares in means]

    def excitations(self, layer: int, unit: int, names: Sequence[str]) -> tuple[Excitation, ...]:
        """Return the rows that excite a unit most, strongest first."""
        return tuple(
            Excitation(names[row], value)
            for row, value in zip(
                self._rows[layer][:, unit].tolist(),
                self._values[layer][:, unit].tolist(),
                strict=True,
            )
            if value > 0
        )


def _all_labels(layers: Layers) -> Layers:
    """Return layers with an output for each label, also for two, which have a single one."""
    if len(layers.biases[-1]) > 1:
        return layers
    weights, biases = layers.weights[-1], layers.biases[-1]
    return replace(
        layers,
        weights=(*layers.weights[:-1], np.hstack([-weights, weights])),
        biases=(*layers.biases[:-1], np.concatenate([-biases, biases])),
    )


def _word_inputs(classifier: NetworkClassifier, restrict: int) -> tuple[Sequence[str], Any]:
    """Return terms, and the inputs of the first layer for a text of each alone."""
    if classifier.features is not None:
        words = classifier.features.vectors_.vocabulary.words()[:restrict]
        return words, _without_warnings(classifier, words)
    vocabulary, embeddings = classifier.head.terms_.vocabulary, classifier.head.network_.embeddings
    counts = np.asarray(vocabulary.counts)
    rows = np.flatnonzero((np.arange(len(counts)) < restrict) | (counts == 0))
    names = [shown_term(vocabulary[row]) for row in rows.tolist()]
    return names, np.asarray(embeddings)[rows]


def _text_inputs(classifier: NetworkClassifier, texts: Sequence[str]) -> Any:
    if classifier.features is not None:
        return _without_warnings(classifier, texts)
    bags, others = classifier.head.terms_.composed_bags(texts)
    return classifier.head.network_.first_inputs(bags, others)


def _without_warnings(classifier: NetworkClassifier, texts: Sequence[str]) -> Any:
    """Return features; a word that the tokenizer changes has none, which is no reason to warn."""
    assert classifier.features is not None  # noqa: S101 - checked by the callers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownWordsWarning)
        return classifier.features.transform(list(texts))
