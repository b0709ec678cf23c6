from embedkit.pictures.maps import WordMap
from embedkit.pictures.theme import Theme
def page_of(words: WordMap, *, title: str, theme: Theme) -> str: return ""
