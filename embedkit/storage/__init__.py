"""The model directory: configuration, vocabulary, vectors, and a saved index."""

from __future__ import annotations

from embedkit.storage.model_directory import StoredModel, read_model, write_model

__all__ = ["StoredModel", "read_model", "write_model"]
