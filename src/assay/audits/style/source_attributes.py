"""What the data say of each answer beside its text: who wrote it, at what setting, with what score.

Read from `source`: keys in twos that name the two answers, `chosen_generator` and `rejected_generator` (or the other
way round, `generator_chosen`), or one key that holds both, `{"generator": {"chosen": ..., "rejected": ...}}`. Numbers
become one difference, words one difference for each value that is frequent enough. Knows pairs; knows no reward.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from assay.audits.style.style_differences import Attributes, holding
from assay.records import Pair
from assay.stats.intervals import Array

LEVELS = 60  # values of one column looked at, the most frequent first
ENOUGH_PAIRS = 20  # in which one answer has the value and the other has not
Said = str | float | None


def both_sides(source: Mapping[str, object]) -> dict[str, tuple[Said, Said]]:
    """What a source says of (chosen, rejected), by what it is: {"generator": ("a", "b")}.

    >>> both_sides({"chosen_model": "a", "rejected_model": "b", "file": "x"})
    {'model': ('a', 'b')}
    """
    found: dict[str, tuple[Said, Said]] = {}
    for key, value in source.items():
        if not isinstance(value, str | int | float) and isinstance(value, Mapping):
            if set(value) == {"chosen", "rejected"}:
                found[key] = (said(value["chosen"]), said(value["rejected"]))
        elif key.startswith("chosen_") and (other := "rejected_" + key[7:]) in source:
            found[key[7:]] = (said(value), said(source[other]))
        elif key.endswith("_chosen") and (other := key[:-7] + "_rejected") in source:
            found[key[:-7]] = (said(value), said(source[other]))
    return found


def said(value: object) -> Said:
    """A number or words as they are; None for what is neither, or not finite."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    return None


def source_attributes(pairs: Sequence[Pair]) -> Attributes:
    """Differences by every column that says something of both answers; named generator=llama, or by the column."""
    rows = [both_sides(pair.source) if pair.source else {} for pair in pairs]
    names: list[str] = []
    columns: list[Array] = []
    for column in sorted({name for row in rows for name in row}):
        given = [row.get(column, (None, None)) for row in rows]
        known = [side for sides in given for side in sides if side is not None]
        if known and all(isinstance(side, float) for side in known):
            difference = np.array([_difference(first, second) for first, second in given])
            if (difference != 0).sum() >= ENOUGH_PAIRS:
                names.append(column)
                columns.append(difference)
            continue
        first, second = [str(a) for a, _ in given], [str(b) for _, b in given]
        for level in frequent_levels(given):
            names.append(f"{column}={level}")
            columns.append(holding(level, first) - holding(level, second))
    values = np.column_stack(columns) if columns else np.zeros((len(pairs), 0))
    return Attributes(names=tuple(names), values=values)


def frequent_levels(given: Sequence[tuple[Said, Said]]) -> list[str]:
    """Values that one answer has and the other has not in enough pairs, the most frequent first."""
    apart = [sides for sides in given if sides[0] != sides[1]]
    counts = Counter([str(side) for sides in apart for side in sides if side is not None])
    kept = sorted((-count, level) for level, count in counts.items() if count >= ENOUGH_PAIRS)
    return [level for _, level in kept[:LEVELS]]


def _difference(first: Said, second: Said) -> float:
    return first - second if isinstance(first, float) and isinstance(second, float) else 0.0
