"""Pairs two by two, to exchange their prompts: partners are of one category and of different prompt groups.

Mutual, so that both answers stand under both prompts: only then do the offsets of prompts and of answers cancel.
Shapes: N pairs. Knows categories and groups; knows no text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.stats.draws import stream
from assay.stats.intervals import Codes, Names, cluster_codes

NOBODY = -1


def partners(groups: Names, categories: Sequence[str], *, seed: int, most: int | None = None) -> Codes:
    """Place of each pair's partner, NOBODY where none is left; (N,). The same for the same seed.

    most: pairs that get a partner at most, drawn by seed. Within a category as many get one as is possible.
    """
    found = np.full(len(categories), NOBODY, dtype=np.intp)
    random = stream(seed, "partners")
    group_N = cluster_codes(groups)
    names = np.asarray(categories)
    drawn = random.permutation(len(names))
    if most is not None:
        drawn = drawn[:most]
    for name in sorted(set(categories)):
        rows = drawn[names[drawn] == name]
        if rows.size < 2:
            continue
        rows = _without_excess(rows, group_N)
        half = rows.size // 2
        # Sorted by group, no group being more than half of them: half way on it is always another group.
        order = rows[np.argsort(random.permutation(group_N.max() + 1)[group_N[rows]], kind="stable")][: 2 * half]
        first, second = order[:half], order[half:]
        other = group_N[first] != group_N[second]
        found[first[other]], found[second[other]] = second[other], first[other]
    return found


def _without_excess(rows: Codes, group_N: Codes) -> Codes:
    """Rows among which no group has more than half: of one that has, the first are kept."""
    codes, counts = np.unique(group_N[rows], return_counts=True)
    largest = int(counts.argmax())
    others = rows.size - int(counts[largest])
    if counts[largest] <= others:
        return rows
    mine = group_N[rows] == codes[largest]
    return np.asarray(rows[~mine | (np.cumsum(mine) <= others)])
