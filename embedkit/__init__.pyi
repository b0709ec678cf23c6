from . import errors as errors
from . import formats as formats
from . import plotting as plotting
from .classification.text_classifier import TextClassifier as TextClassifier
from .corpus.corpus import Corpus as Corpus
from .corpus.phrases.phrases import Phrases as Phrases
from .corpus.tokenizers import tokenize as tokenize
from .corpus.vocabulary import Vocabulary as Vocabulary
from .encoders.base import Encoder as Encoder
from .encoders.charcode import CharCodeEncoder as CharCodeEncoder
from .encoders.loading import load as load
from .encoders.loading import load_encoder as load_encoder
from .encoders.onehot import OneHotEncoder as OneHotEncoder
from .encoders.skipgram import SkipGramEncoder as SkipGramEncoder
from .encoders.subword import SubwordEncoder as SubwordEncoder
from .errors import EmbedkitError as EmbedkitError
from .errors import UnknownWordError as UnknownWordError
from .evaluation.analogies import analogy_accuracy as analogy_accuracy
from .evaluation.similarity import word_similarity as word_similarity
from .features.transformers import TextFeatures as TextFeatures
from .features.transformers import WordFeatures as WordFeatures
from .heads.estimators import DenseClassifier as DenseClassifier
from .heads.estimators import DenseRegressor as DenseRegressor
from .training.config import TrainingConfig as TrainingConfig
from .vectors.formulas import Neighbor as Neighbor
from .vectors.word_vectors import WordVectors as WordVectors

__version__: str
