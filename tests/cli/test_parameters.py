"""Numbers within limits, and what shells are told to complete."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from embedkit.cli.parameters import ModelPath, Number, OutputPath, WholeNumber

_CONTEXT = click.Context(click.Command("x"))
_PARAM = click.Option(["--x"])


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (WholeNumber(1), "0", "must be at least 1, got 0."),
        (WholeNumber(0, 65_535), "99999", "must be between 0 and 65,535, got 99,999."),
        (WholeNumber(1), "1.5", "'1.5' is not a valid integer."),
        (Number(0.5, 2), "3", "must be between 0.5 and 2, got 3."),
        (Number(0), "-1", "must be at least 0, got -1."),
        (Number(0), "nan", "must be a finite number, got nan."),
        (Number(0), "inf", "must be a finite number, got inf."),
        (Number(0), "much", "'much' is not a valid float."),
    ],
)
def test_numbers_outside_the_limits_are_rejected(
    kind: click.ParamType, value: str, message: str
) -> None:
    with pytest.raises(click.BadParameter) as error:
        kind.convert(value, _PARAM, _CONTEXT)
    assert error.value.message == message


def test_numbers_within_the_limits_are_converted() -> None:
    assert WholeNumber(0, 9).convert("9", _PARAM, _CONTEXT) == 9
    assert Number(0.5).convert("1e3", _PARAM, _CONTEXT) == 1000.0


def test_help_shows_limits_in_words() -> None:
    option = click.Option(["--x"], type=WholeNumber(1, 1_000), default=5, show_default=True)
    record = option.get_help_record(_CONTEXT)
    assert record is not None
    assert record[1].endswith("[default: 5; between 1 and 1,000]")


def test_an_environment_variable_names_one_model() -> None:
    assert ModelPath().split_envvar_value("my models/a") == ["my models/a"]


def completed(kind: click.ParamType, incomplete: str) -> str:
    (item,) = kind.shell_complete(_CONTEXT, _PARAM, incomplete)
    assert item.value == incomplete
    return item.type


def test_models_complete_directories_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.embedkit").mkdir()
    (tmp_path / "words.vec").touch()
    assert completed(ModelPath(), "") == "dir"
    assert completed(ModelPath(), "mo") == "dir"
    assert completed(ModelPath(), "wo") == "file"
    assert completed(ModelPath(), "model.embedkit/") == "file"
    assert completed(ModelPath(), f"{tmp_path}/mo") == "dir"
    assert completed(ModelPath(), "nowhere/x") == "file"


def test_outputs_complete_names() -> None:
    assert completed(OutputPath(), "a") == "file"
    assert completed(OutputPath(directory=True), "a") == "dir"
