"""Scans of a matrix by several threads, without a copy of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.index.exact import DenseIndex
from embedkit.index.metrics import METRICS
from embedkit.vectors.word_vectors import WordVectors
from tests.index.test_exact import brute_force, random_rows

QUESTION = """
import sys
from pathlib import Path
from embedkit.encoders import load
load(sys.argv[1]).analogy("w1", "w2", "w3", metric=sys.argv[2], method=sys.argv[3])
text = Path("/proc/self/smaps_rollup").read_text()
print(next(line.split()[1] for line in text.splitlines() if line.startswith("Anonymous:")))
"""


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("asked", [1, 7, 60])
def test_a_search_by_several_threads_matches_brute_force(metric: str, asked: int) -> None:
    rows, queries = random_rows(21, rows=70_001, dimension=140), random_rows(22, asked, 140)
    exclude = [[number, 70_000 - number] for number in range(asked)]
    alone = DenseIndex(rows, metric)
    hits = alone.search(queries, 9, exclude)
    for query, excluded, (ids, scores) in list(zip(queries, exclude, hits, strict=True))[::9]:
        expected_ids, expected = brute_force(rows, query, metric, 9, excluded)
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_a_search_restores_the_settings_of_faiss() -> None:
    matrix = random_rows(1)
    before = faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold
    DenseIndex(matrix).search(matrix, 3)
    assert (faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold) == before


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux")
@pytest.mark.parametrize(
    ("metric", "method"),
    [("cosine", "3cosadd"), ("l2", "3cosadd"), ("dot", "3cosadd"), ("cosine", "3cosmul")],
)
def test_a_question_does_not_copy_the_matrix(tmp_path: Path, metric: str, method: str) -> None:
    """240 MB of vectors; the interpreter and the libraries take some 50."""
    words = Vocabulary([f"w{number}" for number in range(200_000)])
    rows = np.tile(random_rows(23, rows=1_000, dimension=300), (200, 1))
    WordVectors(words, rows).save(tmp_path / "m.embedkit")
    done = subprocess.run(
        [sys.executable, "-c", QUESTION, tmp_path / "m.embedkit", metric, method],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 150_000
