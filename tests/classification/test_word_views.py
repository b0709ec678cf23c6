"""What a classifier knows about a word."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.classification import word_views
from embedkit.classification.word_views import WordViews


@pytest.mark.parametrize("few", [0, 1 << 20], ids=["table", "search"])
@pytest.mark.parametrize("kept", [[0], [1, 3, 4], []])
def test_only_the_ngrams_in_given_buckets_stay(
    monkeypatch: pytest.MonkeyPatch, few: int, kept: list[int]
) -> None:
    monkeypatch.setattr(word_views, "_FEW", few)
    views = WordViews.of(["king", "kings", "queen", ""], None)
    buckets = np.unique(views.ngrams.indices)[kept].astype(np.int32)
    found = views.of_buckets(buckets)
    expected = views.ngrams[:, buckets].toarray()
    np.testing.assert_array_equal(found.ngrams.toarray(), expected)
