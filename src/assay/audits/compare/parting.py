"""How alike two scorers are, and on which pairs they part most: the pairs a label would say most about.

Margins are compared on one scale: each side's divided by their own root mean square. Shapes: N pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from scipy import stats as scipy_stats

from assay.audits.compare.compare_meanings import MEANINGS
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.two_sides import TwoSides
from assay.findings.finding import Finding, measured, unknown
from assay.records import Pair, PairScore, to_json
from assay.stats.intervals import Array, cluster_wilson
from assay.stats.unknown import Unknown

Scores = Sequence[Sequence[PairScore]]  # a side's seeds, each with one score a pair


class DifferenceRow(TypedDict):
    """One row of differences.jsonl; margins are means over seeds, in units of their side's root mean square.

    prefer_other: whether the two prefer different answers. label: "chosen", or "tie" where nobody knows.
    """

    pair_id: str
    apart: float
    prefer_other: bool
    margin_a: float | None
    margin_b: float | None
    label: str
    category: str | None
    prompt: object
    chosen: object
    rejected: object
    where: str


def agreement_findings(sides: TwoSides, config: CompareConfig) -> list[Finding]:
    """How often both prefer the same answer, and the rank correlation of their margins."""
    a, b = sides.a.margin.mean(axis=0), sides.b.margin.mean(axis=0)
    both = np.isfinite(a) & np.isfinite(b)
    n = int(both.sum())
    if n == 0:
        why = "no pair has finite rewards of both"
        return [unknown(MEANINGS[name], why) for name in ("same_preference", "margin_correlation")]
    same = (np.sign(a[both]) == np.sign(b[both])).astype(np.float64)
    right_a, right_b = sides.right_a[both].mean(), sides.right_b[both].mean()
    # What two rewards as often right as these would agree on if their mistakes had nothing to do with each other.
    apart = float(right_a * right_b + (1 - right_a) * (1 - right_b))
    found = [
        measured(
            MEANINGS["same_preference"],
            float(same.mean()),
            n=n,
            interval=cluster_wilson(same, sides.a.groups[both], level=config.level),
            detail={"if_mistakes_were_unrelated": apart},
        )
    ]
    correlation = MEANINGS["margin_correlation"]
    if np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return [*found, unknown(correlation, "one of the two has the same margin on every pair", n=n)]
    value = float(scipy_stats.spearmanr(a[both], b[both]).statistic)
    # Which answer stands first is the label's doing: turned at random, only what both say of the pair is left.
    none = Unknown("the label decides the sign of both margins, so it has no null of its own")
    return [*found, measured(correlation, value, n=n, interval=none)]


def differences(pairs: Sequence[Pair], a: Scores, b: Scores, *, limit: int) -> list[DifferenceRow]:
    """The pairs on which the two part most, those first on which they prefer different answers; labelled or not."""
    margin_a, margin_b = scaled(margins(pairs, a)), scaled(margins(pairs, b))
    apart = np.abs(margin_a - margin_b)
    other = np.sign(margin_a) * np.sign(margin_b) < 0
    usable = np.flatnonzero(np.isfinite(apart) & (apart > 0))
    # Sorted by preference first: a pair both rank alike says little of who is right, however far apart they are.
    order = usable[np.lexsort((usable, -apart[usable], ~other[usable]))][:limit]
    return [_row(pairs[place], apart[place], bool(other[place]), margin_a[place], margin_b[place]) for place in order]


def margins(pairs: Sequence[Pair], side: Scores) -> Array:
    """Mean margin over a side's seeds, each seed in units of its own root mean square, (N,)."""
    rows = []
    for scores in side:
        by_id = {score.pair_id: score for score in scores}
        rows.append([by_id[pair.id].margin for pair in pairs])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.mean([scaled(np.asarray(row, dtype=np.float64)) for row in rows], axis=0))


def scaled(margin_N: Array) -> Array:
    """In units of the root mean square of what is finite; as it is where that is 0."""
    finite = margin_N[np.isfinite(margin_N)]
    size = float(np.sqrt(np.square(finite).mean())) if finite.size else 0.0
    return margin_N / size if size > 0 else margin_N


def _row(pair: Pair, apart: float, other: bool, a: float, b: float) -> DifferenceRow:
    return DifferenceRow(
        pair_id=pair.id, apart=float(apart), prefer_other=other, margin_a=float(a), margin_b=float(b),
        label=pair.label, category=pair.category,
        prompt=to_json(pair.prompt), chosen=to_json(pair.chosen), rejected=to_json(pair.rejected),
        where=str(pair.where),
    )  # fmt: skip
