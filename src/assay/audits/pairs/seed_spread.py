"""Whether training seeds came out alike, and which of them is dead. Knows correctness by seed; knows no scale."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy import special

from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.stats.intervals import cluster_mean
from assay.stats.unknown import Unknown

TOLERATED = 0.05  # between two seeds of one recipe; their usual standard deviation is about two points
DEAD = 0.55  # accuracy up to which a seed has learned next to nothing


def seed_spread(aligned: Aligned) -> Finding:
    """Highest minus lowest seed. Each two are compared on the same pairs, Bonferroni over all."""
    if len(aligned.seeds) < 2:
        reason = "these are rewards of one seed, so its luck is unknown; of a model you train, --seeds 3 tells it"
        return unknown(MEANINGS["seed_spread"], reason, n=aligned.n)
    by_seed = aligned.correct.mean(axis=1)
    dead = [seed for seed, accuracy in zip(aligned.seeds, by_seed, strict=True) if accuracy <= DEAD]
    # Where every seed is at a coin the accuracy says so; a dead one is one that the others are not like.
    dead = dead if float(by_seed.max()) > DEAD + TOLERATED else []
    detail = {
        "mean": float(by_seed.mean()),
        "sd": float(by_seed.std(ddof=1)),
        "min": float(by_seed.min()),
        "max": float(by_seed.max()),
        "seeds": len(aligned.seeds),
        "lowest_seed": aligned.seeds[int(by_seed.argmin())],
        "highest_seed": aligned.seeds[int(by_seed.argmax())],
        "dead_seeds": dead,
    }
    none = Unknown("highest minus lowest describes these seeds; it grows with their number and is no estimate")
    value = float(np.ptp(by_seed))
    alarm = _alarm(aligned, strong=bool(dead))
    return measured(MEANINGS["seed_spread"], value, n=aligned.n, interval=none, alarm=alarm, detail=detail)


def _alarm(aligned: Aligned, *, strong: bool) -> Alarm | None:
    """The most surprising of all pairs of seeds, times how many there are, were none further apart than tolerated."""
    chances = []
    for one, other in combinations(range(len(aligned.seeds)), 2):
        found = cluster_mean(aligned.correct[one] - aligned.correct[other], aligned.groups)
        if isinstance(found, Unknown) or found.variance is None:
            return None
        error = math.sqrt(max(found.variance, 1 / found.clusters**2))
        chances.append(float(special.stdtr(found.freedom, (TOLERATED - abs(found.mean)) / error)))
    return Alarm(p=min(1.0, min(chances) * len(chances)), strength="problem" if strong else "warning")
