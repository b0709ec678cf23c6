"""Text to token ids: tokenizers, the vocabulary, the corpus, `phrases` and `walks`.

Names are imported when they are first used, so `embedkit.corpus.tokenizers` needs no NumPy.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
