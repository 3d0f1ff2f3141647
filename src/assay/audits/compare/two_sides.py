"""Two scorers brought into line on the same pairs, and what each pair, slice and cluster says of their difference.

Shapes: S seeds of a side, N pairs with a definite label, G prompt groups. Knows no verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.audits.scores_table import Aligned, Mask
from assay.errors import InputError
from assay.findings.slice import Slice
from assay.stats.intervals import Array

MOST_VALUES = 60  # of a field of `source`: one with more is a name or a number, not a part of the data


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSides:
    """Both sides' scores of the same pairs, in the same order."""

    a: Aligned
    b: Aligned

    def __post_init__(self) -> None:
        if [pair.id for pair in self.a.pairs] != [pair.id for pair in self.b.pairs]:
            raise InputError("compare: the two sides were not scored on the same pairs. Score the same pairs.")

    @property
    def n(self) -> int:
        return self.a.n

    @property
    def right_a(self) -> Array:
        """Share of A's seeds that are right on each pair, (N,)."""
        return np.asarray(self.a.correct.mean(axis=0))

    @property
    def right_b(self) -> Array:
        return np.asarray(self.b.correct.mean(axis=0))

    @property
    def difference(self) -> Array:
        """Right by A less right by B, (N,), in [-1, 1]."""
        return self.right_a - self.right_b

    def slices(self, smallest: int) -> Iterator[tuple[Slice, Mask]]:
        """Each category, which length people preferred, and each value of each field of `source`, where enough pairs.

        A slice that holds every pair is none.
        """
        columns: dict[str, list[str | None]] = {
            "category": list(self.a.categories),
            "preferred": self._preferred(),
            **self._source_fields(),
        }
        for part, values in columns.items():
            column = np.asarray(values, dtype=object)
            for name, count in sorted(Counter(value for value in values if value is not None).items()):
                if smallest <= count < self.n:
                    yield Slice(part, name), np.asarray(column == name, dtype=bool)

    def _preferred(self) -> list[str | None]:
        words = {1: "the longer answer", -1: "the shorter answer"}
        return [words.get(int(sign)) for sign in np.sign(self.a.length_difference)]

    def _source_fields(self) -> dict[str, list[str | None]]:
        names = sorted({name for pair in self.a.pairs for name in pair.source})
        found = {}
        for name in names:
            values = [_word(pair.source.get(name)) for pair in self.a.pairs]
            if 1 < len(set(values)) <= MOST_VALUES:
                found[f"source.{name}"] = values
        return found


def _word(value: object) -> str | None:
    """A value that may name a part of the data; None for what is no plain value."""
    return str(value) if isinstance(value, str | int | bool) and str(value) else None
