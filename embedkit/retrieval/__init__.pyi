from .answers import Answer as Answer
from .settings import SearchIndexSettings as SearchIndexSettings
from .text_index import TextIndex as TextIndex
