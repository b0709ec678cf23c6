"""embedkit turns words into vectors and answers questions about them.

    import embedkit

    encoder = embedkit.SkipGramEncoder(dimension=100).fit("corpus.txt")
    encoder.save("model.embedkit")
    vectors = embedkit.load("model.embedkit")
    vectors.analogy("paris", "france", "italy")

Names are imported when they are first used, so `import embedkit` alone takes almost no time.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
