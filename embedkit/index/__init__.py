"""The nearest rows of a matrix: exact, sparse and approximate search.

The names are imported when they are first used, so that `embedkit.index.options` imports no
numeric library.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
