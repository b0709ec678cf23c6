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
def test_byte_order_mark_gives_the_encoding(encoding: str) -> None:
    data = TEXT.encode(encoding)
    assert likely_encoding(data) == encoding
    assert data.decode(likely_encoding(data) or "") == TEXT
    assert f"{encoding.upper()}. Convert it (iconv -f {encoding} -t utf-8)" in conversion(data)


def test_without_a_mark_the_guess_is_latin_1_or_binary() -> None:
    assert likely_encoding(TEXT.encode("latin-1")) == "latin1"
    hint = conversion(TEXT.encode("latin-1"), ", or else")
    assert hint == "Convert the file (iconv -f latin1 -t utf-8), or else."
    assert likely_encoding(b"\x7fELF\0\0\xd0") is None
    assert conversion(b"\x7fELF\0\0\xd0", ", or else").endswith("Choose a text file.")


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("stream", [io.BytesIO, Pipe])
def test_stream_is_read_whole_or_error_names_the_line(stream: type[BinaryIO]) -> None:
    text = b"".join(b"line %d\n" % (number * 7919 % 9973) for number in range(90_000))
    assert read_whole(stream(text), "t", InputError) == text  # type: ignore[call-arg]
    packed = gzip.compress(text)
    assert read_whole(stream(packed), "t", InputError) == text  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"t is damaged or cut short after line (\d+): ") as caught:
        read_whole(stream(packed[: len(packed) // 2]), "t", InputError)  # type: ignore[call-arg]
    line = int(str(caught.value).split("line ")[1].split(":")[0])
    assert 30_000 < line < 60_000
