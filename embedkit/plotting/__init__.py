"""Pictures: words on a plane with an arrow for each pair, and the loss curves of training.

    words = word_map(embedkit.load("model.embedkit"), pairs=[("man", "woman"), ("king", "queen")])
    draw(words, "gender.png")                      # or .svg, .pdf, .html
    draw_loss_curves(read_loss_curves(["model.embedkit"]), "training.png")

The names are imported when they are first used, so that `embedkit.plotting.options` imports no
numeric library.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
