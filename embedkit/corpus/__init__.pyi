from .corpus import Corpus as Corpus
from .tokenizers import tokenize as tokenize
from .vocabulary import Vocabulary as Vocabulary
