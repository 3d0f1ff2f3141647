"""What a recipe does, of which some seeds are known: the seeds' own spread is part of the error. Knows no model.

Shapes: S seeds, N values (pairs).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.stats.intervals import Array, ClusterMean, Names, cluster_mean
from assay.stats.unknown import Unknown


def recipe_mean(values_SN: Array, clusters: Names) -> ClusterMean | Unknown:
    """Mean over seeds and pairs, with the variance of pairs and of seeds.

    Prompts vary and so do seeds: Var = clustered variance of the seeds' mean + s^2 / S, where s^2 is the variance of
    the S seeds' own means. Degrees of freedom by Satterthwaite, since three seeds tell little of their spread. s^2
    holds some of the pairs' luck as well, which is then counted twice: at a thousand pairs and equal seeds the
    interval is some 5% too wide. With one seed the variance is that of the pairs alone.

    >>> recipe_mean(np.array([[1.0, 1, 1, 0], [1, 0, 1, 0]]), ["a", "b", "c", "d"]).mean
    0.625
    """
    values = np.atleast_2d(np.asarray(values_SN, dtype=np.float64))
    seeds = values.shape[0]
    found = cluster_mean(values.mean(axis=0), clusters)
    if isinstance(found, Unknown) or found.variance is None or seeds < 2:
        return found
    between = float(values.mean(axis=1).var(ddof=1)) / seeds
    if between == 0:
        return found
    variance = found.variance + between
    simple = found.mean * (1 - found.mean) / found.n
    # Wilson's formula takes a design effect for all that is not independent draws, seeds included.
    effect = max(variance / simple, found.design_effect or 1.0) if simple > 0 else None
    freedom = variance**2 / (found.variance**2 / found.freedom + between**2 / (seeds - 1))
    return replace(found, variance=variance, design_effect=effect, freedom=max(1.0, freedom))
