"""What is wrong in a file of vectors, and what is done about it: an error, or a counted repair."""

from __future__ import annotations

from collections import Counter

from embedkit.errors import ConfigurationError, FormatError

__all__ = ["POLICIES", "Repairs"]

POLICIES = ("strict", "skip", "replace")
"""*strict*: the first fault is an error. *skip*: a word that has one is left out. *replace*: bytes
that are not UTF-8, NUL, and separators within a word are replaced, and so are numbers that are not
finite; a word that cannot be mended is left out."""


class Repairs:
    """The faults of one file.

    Args:
        name: of the file.
        policy: one of `POLICIES`.

    Attributes:
        counts: repairs made, by what was wrong.

    Raises:
        ConfigurationError: there is no such policy.
    """

    def __init__(self, name: str, policy: str = "strict") -> None:
        if policy not in POLICIES:
            raise ConfigurationError(f"no policy {policy!r}; there are {', '.join(POLICIES)}")
        self.name = name
        self.policy = policy
        self.counts: Counter[str] = Counter()

    @property
    def replaces(self) -> bool:
        """Whether what can be mended is mended; otherwise its word is left out."""
        return self.policy == "replace"

    def meet(self, fault: str, place: str, problem: str, count: int = 1) -> None:
        """Count repairs, or raise.

        Args:
            fault: what is wrong, as it is counted.
            place: where, such as "line 17".
            problem: what is wrong there, a sentence without its end.
            count: how many there are; *place* and *problem* are of the first one.

        Raises:
            FormatError: the policy is "strict".
        """
        if self.policy == "strict":
            raise self.error(
                place, problem, "convert the file with --errors skip or replace, and see its counts"
            )
        self.counts[fault] += count

    def error(self, place: str, problem: str, remedy: str) -> FormatError:
        """Return the error of a fault that nothing can mend."""
        where = f"{self.name}, {place}" if place else self.name
        return FormatError(f"{where}: {problem}. Remedy: {remedy}.")
