from .formulas import Neighbor as Neighbor
from .word_vectors import WordVectors as WordVectors
