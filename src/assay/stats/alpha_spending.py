"""How an error rate is shared among looks at evidence that are planned beforehand. Knows numbers of looks only.

Each look is decided at its own level, and the levels' error rates add up to the whole: by Bonferroni's bound any of
the looks is wrong in at most that, however the looks depend on each other. So it holds for evidence that grows and for
changed models on the same pairs alike. Boundaries computed for growing evidence (Pocock 1977, O'Brien & Fleming 1979)
are a little less strict, and would be wrong for changed models on the same pairs.
"""

from __future__ import annotations

import math
from typing import Literal

from scipy import special

Spending = Literal["equal", "late"]
TOTAL = 0.025  # one-sided, of which `late` makes its shares


def shares(planned: int, spending: Spending = "equal") -> tuple[float, ...]:
    """The share of the whole error rate that each of `planned` looks may spend; they add up to 1.

    equal: as much for each (Bonferroni). late: the increments of the O'Brien-Fleming-type spending function
    2 - 2 Phi(z(a/2) / sqrt(t)) at t = 1/planned, 2/planned, ..., 1: little at first, most for the last look.
    Source: Lan & DeMets 1983.

    >>> shares(4)
    (0.25, 0.25, 0.25, 0.25)
    >>> [round(share, 3) for share in shares(3, "late")]
    [0.004, 0.238, 0.758]
    """
    if planned < 1:
        raise ValueError(f"{planned} looks: at least one is needed")
    if spending == "equal":
        return (1 / planned,) * planned
    bar = -float(special.ndtri(TOTAL / 2))
    spent = [2 * float(special.ndtr(-bar / math.sqrt(look / planned))) / TOTAL for look in range(planned + 1)[1:]]
    return tuple(now - before for before, now in zip([0.0, *spent], spent, strict=False))


def level_of(level: float, share: float) -> float:
    """The level of intervals that decide a look which may spend `share` of what intervals at `level` leave.

    >>> round(level_of(0.95, 1 / 3), 4)
    0.9833
    """
    return 1 - (1 - level) * share
