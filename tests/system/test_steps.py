"""Work in small steps."""

from __future__ import annotations

from embedkit.system.steps import Steps, finish, portions


def test_all_steps_are_done_and_the_result_is_returned() -> None:
    done = []

    def steps() -> Steps[str]:
        for number in range(3):
            done.append(number)
            yield
        return "result"

    assert finish(steps()) == "result"
    assert done == [0, 1, 2]


def test_portions_contain_all_words_and_are_bounded() -> None:
    words = ["a" * 100, "b" * 30, "", *["c"] * 10, "d" * 500, "e"]
    found = [list(portion) for portion in portions(words, 128)]
    assert [word for portion in found for word in portion] == words
    # The shortest words count as 16 characters; a long one has a portion of its own.
    assert [len(portion) for portion in found] == [1, 7, 5, 1, 1]
    assert [*portions([], 128)] == []
