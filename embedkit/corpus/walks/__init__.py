"""Random walks on a graph, to train on as sentences.

    from embedkit.corpus.walks import random_walks, read_edges, write_walks

    graph = read_edges("edges.tsv")
    write_walks(graph, "walks.txt", q=0.5)
    walks = (walk for block in random_walks(graph, q=0.5) for walk in block.names())
    embedkit.SkipGramEncoder().fit(walks)

Grover and Leskovec, node2vec: Scalable Feature Learning for Networks, 2016, arXiv:1607.00653.

Names are imported when they are first used: the options of edges need no NumPy.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
