from .settings import SearchIndexSettings as SearchIndexSettings
from .text_index import Answer as Answer
from .text_index import TextIndex as TextIndex
