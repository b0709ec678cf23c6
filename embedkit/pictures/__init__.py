"""Pictures of words: vectors on a plane with an arrow a pair, and how training went.

words = word_map(embedkit.load("model.embedkit"), pairs=[("man", "woman"), ("king", "queen")])
draw(words, "gender.png")                      # or .svg, .pdf, .html
draw_training(read_runs(["model.embedkit"]), "training.png")
"""

from __future__ import annotations

from embedkit.pictures.drawing import draw
from embedkit.pictures.maps import METHODS, WordMap, word_map
from embedkit.pictures.runs import Run, draw_training, read_runs

__all__ = ["METHODS", "Run", "WordMap", "draw", "draw_training", "read_runs", "word_map"]
