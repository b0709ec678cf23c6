"""How good are vectors? Analogies, word similarities, categories; what a difference is worth."""

from __future__ import annotations

from embedkit.evaluation.analogies import AnalogyReport, SectionScore, analogy_accuracy
from embedkit.evaluation.bootstrap import (
    Difference,
    Interval,
    accuracy_difference,
    accuracy_interval,
    correlation_difference,
    correlation_interval,
)
from embedkit.evaluation.categories import CategoryReport, category_purity
from embedkit.evaluation.early_stopping import EarlyStopping
from embedkit.evaluation.neighbors import neighbor_overlap
from embedkit.evaluation.similarity import SimilarityReport, word_similarity

__all__ = [
    "AnalogyReport",
    "CategoryReport",
    "Difference",
    "EarlyStopping",
    "Interval",
    "SectionScore",
    "SimilarityReport",
    "accuracy_difference",
    "accuracy_interval",
    "analogy_accuracy",
    "category_purity",
    "correlation_difference",
    "correlation_interval",
    "neighbor_overlap",
    "word_similarity",
]
