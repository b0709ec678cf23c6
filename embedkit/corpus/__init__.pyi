from .corpus import Corpus as Corpus
from .counting.limits import CountingLimits as CountingLimits
from .tokenizers import tokenize as tokenize
from .vocabulary import Vocabulary as Vocabulary
