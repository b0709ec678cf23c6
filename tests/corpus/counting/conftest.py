"""A text whose words are counted on disk, though it is small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus import reader
from embedkit.corpus.counting import limits as limits_module
from embedkit.corpus.counting.limits import CountingLimits

MEMORY = 1 << 20  # less than may be set, so that a small text is counted on disk


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> CountingLimits:
    """Limits with which the words of the text are written to disk, in more than five runs."""
    monkeypatch.setitem(limits_module.RANGES, "count_memory", (MEMORY, 1 << 50))
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 20_000)
    return CountingLimits(count_memory=MEMORY)


@pytest.fixture(scope="module")
def sentences() -> list[list[str]]:
    """120,000 tokens: half of them occur once, the other half follow Zipf's law."""
    random = np.random.default_rng(7)
    frequent = [f"w{number}" for number in np.minimum(random.zipf(1.3, 60_000), 9_000)]
    rare = [f"rare{number}" for number in random.permutation(60_000)]
    tokens = [token for pair in zip(frequent, rare, strict=True) for token in pair]
    return [tokens[start : start + 12] for start in range(0, len(tokens), 12)]


@pytest.fixture(scope="module")
def text(sentences: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("counting") / "text"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    return path
