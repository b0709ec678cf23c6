"""What bytes are that cannot be read."""

from __future__ import annotations

import gzip
import io
from typing import BinaryIO

import pytest

from embedkit.corpus.encodings import conversion, likely_encoding, read_whole
from embedkit.errors import InputError

TEXT = "naïve Wörter\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_mark_tells_the_encoding(encoding: str) -> None:
    data = TEXT.encode(encoding)
    assert likely_encoding(data) == encoding
    assert data.decode(likely_encoding(data) or "") == TEXT
    assert f"Convert the file (iconv -f {encoding} -t utf-8)" in conversion(data)


def test_without_a_mark_it_may_be_latin_1_or_no_text() -> None:
    assert likely_encoding(TEXT.encode("latin-1")) == "latin1"
    remedy = conversion(TEXT.encode("latin-1"), ", or else")
    assert remedy == "Convert the file (iconv -f latin1 -t utf-8), or else."
    assert likely_encoding(b"\x7fELF\0\0\xd0") is None
    assert conversion(b"\x7fELF\0\0\xd0", ", or else").endswith("no text does: name a text.")


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("stream", [io.BytesIO, Pipe])
def test_whole_or_an_error_with_the_line(stream: type[BinaryIO]) -> None:
    text = b"".join(b"line %d\n" % (number * 7919 % 9973) for number in range(90_000))
    assert read_whole(stream(text), "t", InputError) == text  # type: ignore[call-arg]
    packed = gzip.compress(text)
    assert read_whole(stream(packed), "t", InputError) == text  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"t is damaged or cut short after line (\d+): ") as caught:
        read_whole(stream(packed[: len(packed) // 2]), "t", InputError)  # type: ignore[call-arg]
    line = int(str(caught.value).split("line ")[1].split(":")[0])
    assert 30_000 < line < 60_000
