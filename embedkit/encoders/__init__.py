"""Words to vectors behind one interface: character codes, one-hot, skip-gram and subwords.

The names are imported when they are first used, so that `embedkit.encoders.names` imports no
numeric library.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
