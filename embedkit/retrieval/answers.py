"""The answers to a question, read from the segments of an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from embedkit.retrieval.ranking import Ranked
from embedkit.retrieval.segment import Segment

__all__ = ["Answer", "read_answer"]


class Answer(NamedTuple):
    """A document that answers a question.

    Attributes:
        id: of the document.
        score: the higher, the better; which score depends on the method.
        text: the passage of the document that answers best; often the whole document.
        fields: the other columns of the document, by name.
        span: where the passage begins and ends in the document's text, in characters.
    """

    id: str
    score: float
    text: str
    fields: dict[str, Any]
    span: tuple[int, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, as JSON has them."""
        return {**self._asdict(), "span": list(self.span)}


def read_answer(segments: Sequence[Segment], found: Ranked) -> Answer:
    """Return the document that was found.

    Raises:
        ModelError: it is damaged.
    """
    segment = segments[found.segment]
    document = segment.read([found.document])[0]
    start, stop = segment.spans[found.passage].tolist()
    return Answer(
        document.id, found.score, document.text[start:stop], document.fields, (start, stop)
    )
