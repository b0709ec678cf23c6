"""The choices of a search index; imports no numeric library."""

from __future__ import annotations

from embedkit.index.options import INDEX_KINDS

__all__ = [
    "DOCUMENT_FORMATS",
    "ROW_POLICIES",
    "SEARCH_KINDS",
    "SEARCH_METHODS",
    "SEARCH_POOLINGS",
    "is_reranked",
]

DOCUMENT_FORMATS = ("jsonl", "tsv", "csv", "folder")
"""Files of documents: JSON lines, tables, or a folder with one text file per document."""

SEARCH_KINDS = ("auto", *INDEX_KINDS)
"""How vectors are searched: *auto* chooses "flat" for a small segment and "pq" for a large one."""

SEARCH_POOLINGS = ("sif", "tfidf")
"""How the vectors of a passage's words are weighted.

*sif*: smooth inverse frequency (Arora, Liang and Ma 2017), a / (a + p(w)) with p(w) from the
model's counts. *tfidf*: smoothed inverse document frequencies in the indexed documents. From both,
the projection on the first principal component of the passages is subtracted.
"""

SEARCH_METHODS = ("fused", "dense", "bm25")
"""How documents are ranked.

*dense*: by the cosine similarity of pooled vectors. *bm25*: by their words (Robertson and Zaragoza
2009). *fused*: by both, with reciprocal rank fusion (Cormack, Clarke and Buettcher 2009).
"""

ROW_POLICIES = ("strict", "skip")
"""What to do with a document that cannot be indexed: stop with an error, or leave it out."""


def is_reranked(method: str, rerank: bool | None) -> bool:
    """Return whether answers are reranked; unless chosen, only those of *fused* are."""
    return method == "fused" if rerank is None else rerank
