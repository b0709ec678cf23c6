"""Pictures of words: vectors on a plane with an arrow a pair, and how training went.

words = word_map(embedkit.load("model.embedkit"), pairs=[("man", "woman"), ("king", "queen")])
draw(words, "gender.png")                      # or .svg, .pdf, .html
draw_training(read_runs(["model.embedkit"]), "training.png")
"""

from __future__ import annotations

from embedkit.plotting.draw import draw
from embedkit.plotting.loss_curves import Run, draw_training, read_runs
from embedkit.plotting.word_map import METHODS, WordMap, word_map

__all__ = ["METHODS", "Run", "WordMap", "draw", "draw_training", "read_runs", "word_map"]
