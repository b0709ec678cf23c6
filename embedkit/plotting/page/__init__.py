"""A map of words as one HTML file: it needs no network, and may ask for nothing.

Some 250 lines of script draw on a canvas. A plotting library would make the file some 70 times as
large, and would neither place labels nor look for a word.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import fields
from pathlib import Path

from embedkit.plotting.theme import DARK, LIGHT
from embedkit.plotting.word_map import WordMap

__all__ = ["page_of"]

_FILES = Path(__file__).parent


def page_of(words: WordMap, *, title: str = "", dark: bool = False) -> str:
    """Return the text of a page that shows a map.

    It has a policy that lets run this script alone and lets it load nothing, so that no word,
    whatever is in it, becomes more than a word.

    Args:
        words: from `word_map`.
        title: stands above; by default "Words".
        dark: a dark background always; otherwise it is as the reader's system has it.
    """
    template, style, script = (
        (_FILES / name).read_text(encoding="utf-8") for name in ("map.html", "map.css", "map.js")
    )
    style = f":root {{ {_colors()} }}\n{style}"
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}"
    parts = {
        "policy": html.escape(policy),
        "theme": "dark" if dark else "light dark",
        "title": html.escape(title or "Words"),
        "caption": html.escape(words.caption),
        "style": style,
        "data": _data(words),
        "script": script,
    }
    pieces = template.split("%%")  # text, name, text, name, ..., text: no part is looked into
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))


def _colors() -> str:
    names = [field.name for field in fields(LIGHT) if field.name != "runs"]
    return " ".join(
        f"--{name}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});" for name in names
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(words: WordMap) -> str:
    """Return the map as JSON that no HTML parser takes for the end of its element."""
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
