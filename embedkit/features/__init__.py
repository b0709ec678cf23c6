"""Features of words and texts: scikit-learn transformers over any vectors of the library.

    from embedkit.features import TextFeatures, WordFeatures

    pipeline = make_pipeline(TextFeatures("model.embedkit"), LogisticRegression())
    pipeline.fit(questions, labels).predict(["Where are the bananas?"])

The transformers are imported when they are first used, because pooling needs no scikit-learn.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
