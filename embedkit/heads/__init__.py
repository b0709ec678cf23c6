"""Dense networks on word vectors, or on any numeric features.

    from embedkit.heads import DenseClassifier, DenseRegressor

    DenseRegressor(hidden=(3, 3)).fit(heights_and_ages, weights)
    make_pipeline(TextFeatures(vectors), DenseClassifier(hidden=(64,))).fit(questions, labels)
    DenseClassifier(hidden=(64,), finetune=True, vectors=vectors).fit(questions, labels)

The last example fine-tunes the word vectors along with the network. Only `fit` imports torch.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
