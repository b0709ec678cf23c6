from .phrases import Phrases as Phrases
from .settings import CONNECTORS as CONNECTORS
from .settings import DEFAULT_THRESHOLDS as DEFAULT_THRESHOLDS
from .settings import MAX_PASSES as MAX_PASSES
from .settings import PhraseSettings as PhraseSettings
from .storage import Phrase as Phrase
