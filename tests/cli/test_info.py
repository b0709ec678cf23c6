"""info, and the architecture wherever the encoder is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import embedkit as library
from tests.conftest import Command


def test_info_shows_facts_about_a_model(embedkit: Command, model: Path) -> None:
    facts = json.loads(embedkit("info", "--model", model, "--json").stdout)
    assert facts["encoder"] == "skipgram"
    assert facts["words"] == len(library.load(model))
    assert facts["dimension"] == 24
    assert facts["settings"]["epochs"] == 10
    assert facts["bytes"] == sum(path.stat().st_size for path in model.iterdir())
    assert "skipgram" in embedkit("info", "--model", model).stdout


@pytest.mark.parametrize(
    ("encoder", "lesson"), [("skipgram", "CBOW"), ("subword", "CBOW with subwords")]
)
def test_the_architecture_is_shown_beside_the_encoder(
    embedkit: Command, tmp_path: Path, encoder: str, lesson: str
) -> None:
    kind = {"skipgram": library.SkipGramEncoder, "subword": library.SubwordEncoder}[encoder]
    made = kind(dimension=4, min_count=1, epochs=1, workers=1, sample=0, architecture="cbow")
    made.fit([["king", "queen", "castle"]] * 20).save(tmp_path / "m")
    facts = json.loads(embedkit("info", tmp_path / "m", "--json").stdout)
    assert (facts["encoder"], facts["architecture"]) == (encoder, "cbow")
    assert f"({encoder}, cbow)" in library.load(tmp_path / "m")._repr_html_()
    library.formats.convert(tmp_path / "m", tmp_path / "m.bin", target_format="fasttext")
    facts = json.loads(embedkit("info", tmp_path / "m.bin", "--json").stdout)
    assert (facts["format"], facts["architecture"]) == ("fasttext", "cbow")
    assert facts["settings"]["negative"] == made.config.negative
    word = "queens" if encoder == "subword" else "queen"
    done = embedkit("compare", "king", word, "--model", tmp_path / "m")
    assert [line.split(":")[0] for line in done.stdout.splitlines() if ": " in line][-1] == lesson
    assert ("composed of its n-grams" in done.stderr) == (encoder == "subword")
