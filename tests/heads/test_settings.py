"""Settings outside their range."""

from __future__ import annotations

from typing import Any

import pytest

from embedkit.errors import ConfigurationError
from embedkit.heads.settings import NetworkSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "gelu"}, "unknown activation 'gelu'; choose from relu, tanh, sigmoid"),
        ({"optimizer": "lbfgs"}, "unknown optimizer 'lbfgs'; choose from adam, sgd"),
        ({"batch_size": 0}, "batch_size must be an integer between 1 and 2,147,483,647, got 0"),
        ({"epochs": 2.5}, "epochs must be an integer between 1 and 1,000,000, got 2.5"),
        ({"epochs": True}, "epochs must be an integer between 1 and 1,000,000, got True"),
        ({"epochs": 10**11}, "epochs must be an integer between 1 and 1,000,000, got 100000000000"),
        ({"patience": 0}, "patience must be an integer between 1 and 1,000,000, got 0"),
        ({"ngrams": 10**9}, "ngrams must be an integer between 1 and 10, got 1000000000"),
        ({"seed": -1}, "seed must be an integer between 0 and 9,223,372,036,854,775,807, got -1"),
        (
            {"seed": 10**26},
            "seed must be an integer between 0 and 9,223,372,036,854,775,807, got 1000",
        ),
        (
            {"learning_rate": float("nan")},
            "learning_rate must be a number between 0 and 100, got nan",
        ),
        ({"dropout": 1}, "dropout must be a number between 0 and 0.99, got 1"),
        ({"validation_fraction": "0.1"}, "validation_fraction must be a number between 0 and 0.9"),
        ({"hidden": (3, 0)}, "hidden must be a list of layer sizes"),
        ({"hidden": (10**11,)}, r"each between 1 and 10,000, got \(100000000000,\)"),
        ({"hidden": "33"}, "hidden must be a list of layer sizes"),
        ({"hidden": 3}, "hidden must be a list of layer sizes"),
    ],
)
def test_invalid_setting_is_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        NetworkSettings(**settings)
