"""The service that bench_service compares embedkit with: FastAPI around gensim's most_similar.

scripts/bench_service_peer.py MODEL
"""

from __future__ import annotations

import sys

import numpy as np
import uvicorn
from fastapi import FastAPI
from gensim.models import KeyedVectors
from pydantic import BaseModel

import embedkit


class Analogy(BaseModel):
    """The body of a request."""

    a: str
    b: str
    c: str
    k: int = 10


def vectors_of(model: str) -> KeyedVectors:
    """Return the vectors of an embedkit model as gensim's type, with their norms."""
    ours = embedkit.load(model)
    theirs = KeyedVectors(ours.dimension)
    theirs.add_vectors(ours.vocabulary.words(), np.array(ours.matrix))
    theirs.fill_norms()
    return theirs


app = FastAPI()
vectors = vectors_of(sys.argv[1])


@app.get("/readyz")
def readyz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/analogy")
def analogy(asked: Analogy) -> dict[str, list[dict[str, str | float]]]:
    found = vectors.most_similar([asked.a, asked.c], [asked.b], topn=asked.k)
    return {"answers": [{"word": word, "score": score} for word, score in found]}


if __name__ == "__main__":
    uvicorn.run(app, port=0, access_log=False)
