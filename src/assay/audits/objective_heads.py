"""Of a reward that is made of several objectives: what each orders right by itself, and what is left of it combined.

Each objective is measured on its own pairs, as the data state them (objective or category), else on all. Reads the
heads of the rewards; knows no scorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assay.audits.objective_meanings import COMBINED_ON, HEAD_ON
from assay.audits.part import Found, Given, Part
from assay.data.objectives import by_objective
from assay.findings.finding import measured
from assay.findings.slice import Slice
from assay.records import PairScore
from assay.scorers.protocol import Reward
from assay.scorers.scored_pairs import ScoredPair
from assay.stats.intervals import cluster_wilson


def objective_part(scores: Mapping[int, Sequence[PairScore] | Sequence[ScoredPair]], objectives: Sequence[str]) -> Part:
    """The part of an audit for these scores of one combined reward; without objectives it finds nothing."""
    margins: dict[str, dict[str, float]] = {}
    for one in (one for several in scores.values() for one in several) if objectives else ():
        if isinstance(one, ScoredPair) and isinstance(one.chosen, Reward) and isinstance(one.rejected, Reward):
            good, bad = one.chosen.heads, one.rejected.heads
            margins[one.pair_id] = {name: good[name] - bad[name] for name in objectives if name in good.keys() & bad}

    def part(given: Given) -> Found:
        findings = []
        aligned, level = given.aligned, given.config.level
        stated = by_objective(aligned.pairs).pairs
        correct_N = aligned.correct.mean(axis=0)
        for name in objectives:
            # Ids, since a pair may stand under several objectives in other data and here under one.
            own = {pair.id for pair in stated.get(name, aligned.pairs)}
            places = [n for n, pair in enumerate(aligned.pairs) if pair.id in own and name in margins.get(pair.id, {})]
            if not places:
                continue
            alone = np.array([margins[aligned.pairs[n].id][name] > 0 for n in places], dtype=np.float64)
            where, groups = Slice("objective", name), aligned.groups[places]
            detail = {"pairs_of": "this objective" if name in stated else "all, since none states it"}
            for meaning, right in ((COMBINED_ON, correct_N[places]), (HEAD_ON, alone)):
                findings.append(
                    measured(
                        meaning,
                        float(right.mean()),
                        n=len(places),
                        interval=cluster_wilson(right, groups, level=level),
                        slice=where,
                        detail=detail,
                    )
                )
        return Found(findings=findings)

    return part
