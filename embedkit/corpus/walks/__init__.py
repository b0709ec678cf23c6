"""Random walks on a graph, to train on as sentences.

    from embedkit.corpus.walks import random_walks, read_edges, write_walks

    graph = read_edges("edges.tsv")
    write_walks(graph, "walks.txt", q=0.5)
    walks = (walk for block in random_walks(graph, q=0.5) for walk in block.names())
    embedkit.SkipGramEncoder().fit(walks)

Grover and Leskovec, node2vec: Scalable Feature Learning for Networks, 2016, arXiv:1607.00653.
"""

from __future__ import annotations

from embedkit.corpus.walks.edges import read_edges
from embedkit.corpus.walks.graph import Graph
from embedkit.corpus.walks.walks import WalkConfig, Walks, random_walks, write_walks

__all__ = ["Graph", "WalkConfig", "Walks", "random_walks", "read_edges", "write_walks"]
