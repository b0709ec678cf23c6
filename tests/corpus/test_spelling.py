"""Spellings to try, and the nearest ones, against RapidFuzz-free definitions."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.spelling import nearest_spellings, normal_forms, respellings, similar_spellings


def optimal_alignment(a: str, b: str) -> int:
    """Return the optimal string alignment distance by its recurrence."""
    table = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            best = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, table[i - 2][j - 2] + 1)
            table[i][j] = best
    return table[-1][-1]


short = st.text("abAB", min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(short, st.lists(short, max_size=8))
def test_the_nearest_spelling_ignores_case_first(word: str, pool: list[str]) -> None:
    limit = 1 if len(word) <= 4 else 2
    ranked = sorted(
        (optimal_alignment(word.lower(), known.lower()), optimal_alignment(word, known), place)
        for place, known in enumerate(pool)
    )
    expected = ranked[0][2] if ranked and ranked[0][0] <= limit else -1
    assert nearest_spellings([word], pool) == [expected]


def test_spellings_to_try_are_distinct_and_in_order() -> None:
    assert respellings("paris") == []
    assert respellings("New York") == ["new york", "New_York", "new_york"]
    assert respellings("caf\u00e9") == ["cafe\u0301"]
    assert respellings("CAF\u00c9")[-2:] == ["caf\u00e9", "cafe\u0301"]
    assert respellings("Stra\u00dfe") == ["strasse", "stra\u00dfe"]


@given(st.text(max_size=5))
def test_normal_forms_are_those_of_unicode(word: str) -> None:
    forms = normal_forms(word)
    assert forms[0] == word
    assert set(forms) == {word, *(unicodedata.normalize(form, word) for form in ("NFC", "NFD"))}  # type: ignore[arg-type]


def test_similar_spellings_prefer_the_case_as_written() -> None:
    pool = ["who", "WHO", "whole", "x"]
    assert similar_spellings("WHOO", pool, 2) == ["WHO", "who"]
    assert similar_spellings("whoo", pool, 2) == ["who", "WHO"]
