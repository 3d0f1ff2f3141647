"""Whether a judge that was asked in both orders judges answers or places: read from the heads of a pairwise judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm

from assay.audits.part import Found, Given, Part
from assay.audits.position_meanings import POSITION_FIGURES
from assay.findings.alarm import Alarm
from assay.findings.finding import measured
from assay.records import PairScore
from assay.scorers.protocol import Reward
from assay.scorers.scored_pairs import ScoredPair
from assay.stats.intervals import Array, Codes, cluster_mean, cluster_wilson
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown

TOLERATED, MATTERS = 0.25, 0.5  # share of flipped votes: of near ties among pairs, and of a judge of places
HEADS = ("flipped_first", "flipped_second")


def position_part(scores: Mapping[int, Sequence[PairScore] | Sequence[ScoredPair]]) -> Part:
    """The part of an audit for these scores, as the scorer gave them; without a judge it finds nothing."""
    flips: dict[str, tuple[float, float]] = {}
    for one in (one for several in scores.values() for one in several):
        if isinstance(one, ScoredPair) and isinstance(one.chosen, Reward) and set(HEADS) <= set(one.chosen.heads):
            flips[one.pair_id] = (one.chosen.heads[HEADS[0]], one.chosen.heads[HEADS[1]])

    def part(given: Given) -> Found:
        places = [place for place, pair in enumerate(given.aligned.pairs) if pair.id in flips]
        if not places:
            return Found(findings=[])
        flips_N2 = np.array([flips[given.aligned.pairs[place].id] for place in places])
        share_N, groups_N = flips_N2.sum(1), given.aligned.groups[places]
        first, second = flips_N2.mean(0).tolist()
        finding = measured(
            POSITION_FIGURES[0],
            float(share_N.mean()),
            n=len(places),
            interval=cluster_wilson(share_N, groups_N, level=given.config.level),
            detail={"answer_shown_first": first, "answer_shown_second": second, "tolerated": TOLERATED},
            alarm=flips_alarm(share_N, groups_N),
        )
        return Found(findings=[finding])

    return part


def flips_alarm(share_N: Array, groups_N: Codes) -> Alarm | None:
    """How surprising so many flips are where a quarter is tolerated: a score test at the size that the groups allow.

    None where all pairs stand under one prompt. A problem where half of the votes or more are flipped.
    """
    found = cluster_mean(share_N, groups_N)
    if isinstance(found, Unknown) or found.clusters < 2:
        return None
    size = found.n / found.design_effect if found.design_effect is not None else found.clusters
    spread = math.sqrt(TOLERATED * (1 - TOLERATED) / size)
    needed = TOLERATED + norm.isf(FAMILY_ALPHA) * spread
    return Alarm(
        p=float(norm.sf((found.mean - TOLERATED) / spread)),
        strength="problem" if found.mean >= MATTERS else "warning",
        power=float(norm.sf((needed - MATTERS) / math.sqrt(MATTERS * (1 - MATTERS) / size))),
    )
