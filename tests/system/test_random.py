"""Counter-based draws, compared with published outputs of SplitMix64."""

from __future__ import annotations

from embedkit.system.random import GOLDEN_GAMMA, draw, epoch_key, mix

SPLITMIX64_OF_1234567 = [
    6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431,
    16408922859458223821,
]  # fmt: skip


def test_draws_are_splitmix64() -> None:
    assert [draw(1234567, position) for position in range(5)] == SPLITMIX64_OF_1234567
    assert [mix(1234567 + n * GOLDEN_GAMMA) for n in range(1, 6)] == SPLITMIX64_OF_1234567


def test_draws_depend_on_key_position_and_number() -> None:
    draws = {
        draw(epoch_key(seed, epoch), position, number)
        for seed in range(4) for epoch in range(4) for position in range(4) for number in range(4)
    }  # fmt: skip
    assert len(draws) == 256
    assert all(0 <= bits < 1 << 64 for bits in draws)
