"""The route of text classifiers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import FastAPI, Response
from numpy.typing import NDArray

from embedkit.service.api import requests, responses
from embedkit.service.api.documentation import batch
from embedkit.service.api.requests import OneOrMany
from embedkit.service.http.json_response import JsonObject
from embedkit.service.worker.dispatch import Dispatcher
from embedkit.service.worker.served_model import ServedModel
from embedkit.system.steps import Steps

if TYPE_CHECKING:
    from embedkit.classification.text_classifier import TextClassifier

__all__ = ["add_classification"]

_CHARACTERS_PER_COST = 5
_LEAST_COST = 100


def _predicted(classifier: TextClassifier, text: str) -> Steps[NDArray[np.floating[Any]]]:
    from embedkit.classification.linear_classifier import LinearClassifier

    if isinstance(classifier.head, LinearClassifier):
        return (yield from classifier.head.predictions_in_steps([text]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a text without known words has a label, too
        return classifier.head.predictions([text])


def add_classification(app: FastAPI, service: Dispatcher) -> None:
    """Add /v1/classify."""

    def classify(_: ServedModel, body: requests.ClassifyRequest) -> Steps[JsonObject]:
        name, classifier = service.classifiers.named(body.classifier)
        yield
        [predictions] = yield from _predicted(classifier, body.text)
        return {"text": body.text, **classifier.answer(predictions), "classifier": name}

    @app.post("/v1/classify", tags=["texts"], **batch(responses.ClassifyResponse))
    async def label(body: OneOrMany[requests.ClassifyRequest]) -> Response:
        """Return the label of a text, its labels, or its number, and probabilities of labels."""
        return await service.compute(
            body,
            classify,
            lambda item: _LEAST_COST + len(item.text) / _CHARACTERS_PER_COST,
            service.scans,
        )
