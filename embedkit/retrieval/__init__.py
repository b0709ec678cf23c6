"""Search over documents by meaning and by words.

    from embedkit import TextIndex

    index = TextIndex.build("docs.jsonl", "docs.index", "model.embedkit")
    index.ask("cheap red wine")

The names are imported when they are first used, so that `embedkit.retrieval.options` imports no
numeric library.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
