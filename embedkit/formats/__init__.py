"""Files of words and vectors that other programs read and write.

    from embedkit import formats

    formats.convert("vectors.bin", "vectors.npz")

A format is a module of this package, an entry of `names.FORMATS_INFO` and one of
`registry.VECTOR_FORMATS`. A file's format and compression are detected from its content; the name
decides only what is written.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
