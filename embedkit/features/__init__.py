"""Words and texts as features: scikit-learn transformers over any vectors of the library.

from embedkit.features import TextFeatures, WordFeatures

pipeline = make_pipeline(TextFeatures("model.embedkit"), LogisticRegression())
pipeline.fit(questions, labels).predict(["Where are the bananas?"])
"""

from __future__ import annotations

from embedkit.features.transformers import TextFeatures, WordFeatures

__all__ = ["TextFeatures", "WordFeatures"]
