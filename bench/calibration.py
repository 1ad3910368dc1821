"""How sure the assistant is, against how often it is right."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.measure import Judged

BANDS = 10
"""Bands of equal width between 0 and 1."""


@dataclass(frozen=True)
class Band:
    """What was answered with a confidence from `low` on, up to the next band's."""

    low: float
    count: int
    right: int

    @property
    def share(self) -> float | None:
        """The share that was right, if anything was answered."""
        return self.right / self.count if self.count else None


def bands(judged: Iterable[Judged]) -> list[Band]:
    """Return every band, of what was answered: where it asked back, it claimed nothing."""
    answered = [one for one in judged if one.turn.outcome["kind"] in ("answer", "reply", "suggest")]
    sorted_out: list[list[bool]] = [[] for _ in range(BANDS)]
    for one in answered:
        index = min(BANDS - 1, int(one.turn.outcome["confidence"] * BANDS))
        sorted_out[index].append(one.verdict == "right")
    return [
        Band(index / BANDS, len(rights), sum(rights)) for index, rights in enumerate(sorted_out)
    ]
