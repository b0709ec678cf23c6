"""A text that several ranks read together."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.errors import ConfigurationError
from embedkit.system.ranks import SingleProcess
from tests.ranks import EMBEDKIT, launched, together

WORLD = Path(__file__).parent.parent.parent / "corpora" / "world.txt"


def test_ranks_share_a_text_and_a_vocabulary(tmp_path: Path) -> None:
    found = together(
        """
from embedkit.corpus import reader
from embedkit.corpus.corpus import Corpus
reader._BLOCK_BYTES = 20_000
corpus = Corpus.read(sys.argv[2], ranks=ranks)
tell(words=corpus.vocabulary.words(), counts=corpus.vocabulary.counts.tolist(),
     sentences=[" ".join(s) for s in corpus], fingerprint=corpus.fingerprint)
""",
        3,
        tmp_path,
        WORLD,
    )
    alone = Corpus.read(WORLD)
    counts = dict(zip(alone.vocabulary, alone.vocabulary.counts.tolist(), strict=True))
    for rank in found:
        assert dict(zip(rank["words"], rank["counts"], strict=True)) == counts
        assert rank["words"] == found[0]["words"]
        assert rank["counts"] == sorted(rank["counts"], reverse=True)
        assert rank["fingerprint"] == found[0]["fingerprint"]
    shares = [Counter(rank["sentences"]) for rank in found]
    assert sum(shares, Counter()) == Counter(" ".join(sentence) for sentence in alone)
    assert min(share.total() for share in shares) > len(alone) / 4


def test_text_too_small_to_share_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text("one two\n" * 10)
    command = launched(2, EMBEDKIT, "train", "small.txt")
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    assert done.returncode != 0
    assert "Error: the corpus is too small to share among 2 ranks" in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_cannot_be_shared() -> None:
    ranks = SingleProcess()
    ranks.size = 2
    with pytest.raises(ConfigurationError, match="ranks cannot share standard input"):
        Corpus.read(["-"], ranks=ranks)
