"""A map of words as one HTML file, which needs no network.

Its script is a few hundred lines of plain JavaScript that draw on a canvas. A plotting library
would make the file about 70 times larger, and would neither place labels nor search for a word.
The modules in ``shared/`` are also used by the page of the service.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import fields
from pathlib import Path

from embedkit.plotting.theme import DARK, LIGHT
from embedkit.plotting.word_map import WordMap

__all__ = ["SHARED_MODULES", "render_page", "source_hash", "theme_colors"]

_FOLDER = Path(__file__).parent
SHARED_MODULES = _FOLDER / "shared"
"""The folder of the JavaScript modules that this page and the page of the service share."""

_MODULES = (
    "shared/dom",
    "shared/view",
    "shared/overlay",
    "shared/gestures",
    "shared/combobox",
    "map",
)
"""The modules, in the order of their imports; no two of them declare the same name."""


def render_page(words: WordMap, *, title: str = "", dark: bool = False) -> str:
    """Return the text of a page that shows a map.

    Its Content-Security-Policy allows exactly this script and this style and no requests, so that
    a word is never interpreted as markup or code.

    Args:
        words: the map, from `word_map`.
        title: the heading; "Words" if empty.
        dark: always use a dark background; by default the reader's system decides.
    """
    template = _read("map.html")
    style = f"{theme_colors()}\n{_read('map.css')}"
    script = _script()
    policy = f"default-src 'none'; style-src {source_hash(style)}; script-src {source_hash(script)}"
    parts = {
        "policy": html.escape(policy),
        "theme": "dark" if dark else "light dark",
        "title": html.escape(title or "Words"),
        "caption": html.escape(words.caption),
        "style": style,
        "data": _data(words),
        "script": script,
    }
    pieces = template.split("%%")  # text, name, text, name, ..., text
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _script() -> str:
    """Return all modules as one, because a file without a server cannot import other files."""
    source = "".join(_read(f"{name}.js") for name in _MODULES)
    without_imports = re.sub(r"^import [^;]*;\n", "", source, flags=re.MULTILINE)
    return re.sub(r"^export ", "", without_imports, flags=re.MULTILINE)


def theme_colors() -> str:
    """Return the colors of both themes as custom properties that scripts can read."""
    names = [field.name for field in fields(LIGHT) if field.name != "curves"]
    registered = [
        f'@property --{name} {{ syntax: "<color>"; inherits: true; '
        f"initial-value: {getattr(LIGHT, name)}; }}"
        for name in names
    ]
    values = " ".join(
        f"--{name}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});" for name in names
    )
    return "\n".join([*registered, f":root {{ {values} }}"])


def source_hash(text: str) -> str:
    """Return how a Content-Security-Policy allows an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(words: WordMap) -> str:
    """Return the map as JSON without `<` and `>`, which could end its HTML element."""
    data = {
        "words": words.words,
        "counts": words.counts,
        "places": [[float(f"{x:.6g}"), float(f"{y:.6g}")] for x, y in words.places.tolist()],
        "arrows": words.arrows,
        "named": words.named,
        "explained": words.explained,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")
