"""Dense networks on top of word vectors, or of any table of numbers.

    from embedkit.heads import DenseClassifier, DenseRegressor

    DenseRegressor(hidden=(3, 3)).fit(heights_and_ages, weights)
    make_pipeline(TextFeatures(vectors), DenseClassifier(hidden=(64,))).fit(questions, labels)
    DenseClassifier(hidden=(64,), finetune=True, vectors=vectors).fit(questions, labels)

The last one trains the words' vectors along with the network. torch is imported by `fit` alone.
"""

from __future__ import annotations

from embedkit.heads.estimators import DenseClassifier, DenseRegressor

__all__ = ["DenseClassifier", "DenseRegressor"]
