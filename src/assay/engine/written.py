"""What is asked of the engine when it writes, and what it gives back: a row, a seed, limits; ids and how they ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Ended = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One answer: the prompt's ids, at least one, and the seed that decides what is drawn."""

    row: tuple[int, ...]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How tokens are chosen. most: tokens of an answer. ends: tokens after which nothing follows."""

    most: int
    temperature: float = 1.0
    top_p: float = 1.0
    ends: frozenset[int] = frozenset()

    def ended(self, ids: Sequence[int], stopped: Callable[[Sequence[int]], bool] | None) -> Ended | None:
        """Whether an answer ends with the tokens it has, and how."""
        if ids[-1] in self.ends or (stopped is not None and stopped(ids)):
            return "stop"
        return "length" if len(ids) >= self.most else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One answer's ids, its end token included where it has one. finish: an end or a stop text, or the limit."""

    ids: tuple[int, ...]
    finish: Ended
