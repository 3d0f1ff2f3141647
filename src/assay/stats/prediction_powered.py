"""A mean of people's labels, helped by a judge that labelled much more: prediction-powered inference, with clusters.

Few items carry a person's label Y and the judge's F, many more carry F alone. The judge's mean over all items is exact
and biased; what people say of its bias is unbiased and rough. Their sum, mean(Y - w F) over the labelled plus w mean(F)
over all, is unbiased for every fixed w, whatever the judge is worth: with w = 0 it is people alone, and for a judge who
is mostly wrong w is below 0. The w that varies least is taken from the data, each part's from the other parts, so that
it is fixed where it is used. Source: Angelopoulos, Duchi and Zrnic 2023 (PPI++); clusters (prompts) are added here as
the unit that varies, in both halves at once. Shapes: n labelled items, N all items, C clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from assay.stats.draws import stream
from assay.stats.intervals import Array, Codes, Interval, Names, cluster_codes, cluster_logit_t, freedom_of
from assay.stats.unknown import Unknown

FOLDS = 10
FEWEST = 50  # labelled clusters; below, a good judge's few misses are a handful of events and intervals hold 75 to 90%
# Half a contradiction more than was seen, in the variance: with 50 labels and a judge right on 95% the intervals hold
# 92% instead of 88%, and with 100 and a poor one 97% instead of 96%.
UNSEEN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PoweredMean:
    """A mean in [0, 1] by people and judge together, and by people alone.

    weight: w, the judge's part; 0 where it was left out. worth: how many times as many labels of people alone would be
    as sure; below 1 the judge only added noise. agreement: correlation of judge and people on what both labelled, None
    where either never varies. left_out: why the judge was, where it was.
    """

    mean: float
    interval: Interval
    alone_mean: float
    alone: Interval
    weight: float
    worth: float
    agreement: float | None
    labelled: int
    items: int
    left_out: str = ""


def powered_mean(
    human_N: npt.ArrayLike, judge_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95, seed: int = 0
) -> PoweredMean | Unknown:
    """Mean of what people would say of all items, from the labels they gave to some and the judge's to every one.

    human_N: in [0, 1], NaN where nobody was asked. Who is asked must be drawn at random: nothing here mends a choice.
    judge_N: in [0, 1]; NaN where it gave no label, which counts as 1/2 (any rule that does not look at people's labels
    keeps the estimate unbiased). clusters: the prompt of each item. Unknown without labels, or with one prompt's.

    >>> rng = np.random.default_rng(0)
    >>> truth = (rng.random(1000) < 0.8).astype(float)
    >>> judge = np.where(rng.random(1000) < 0.9, truth, 1 - truth)
    >>> found = powered_mean(np.where(np.arange(1000) < 150, truth, np.nan), judge, np.arange(1000))
    >>> found.interval.low < 0.8 < found.interval.high, found.worth > 1.5
    (True, True)
    """
    human, judge = np.asarray(human_N, dtype=np.float64), np.asarray(judge_N, dtype=np.float64)
    if human.shape != judge.shape:
        raise ValueError(f"{human.size} labels of people but {judge.size} of the judge")
    labelled = np.isfinite(human)
    if not labelled.any():
        return Unknown("nobody labelled any of the items")
    seen = np.concatenate([human[labelled], judge[np.isfinite(judge)]])
    if seen.min() < 0 or seen.max() > 1:
        raise ValueError("powered_mean takes labels in [0, 1]")
    codes = cluster_codes(clusters)
    alone = cluster_logit_t(human[labelled], codes[labelled], level=level)
    if isinstance(alone, Unknown):
        return alone
    items = _Items(human=human, judge=np.where(np.isfinite(judge), judge, 0.5), labelled=labelled, codes=codes)
    why_not = items.why_not()
    weight_C = np.zeros(items.clusters) if why_not else items.weights(seed)
    mean, spread_C = items.mean(weight_C)
    _, alone_C = items.mean(np.zeros(items.clusters))
    interval = alone if why_not else _interval(mean, items.variance(spread_C), items.freedom, level)
    return PoweredMean(
        mean=min(max(mean, 0.0), 1.0),
        interval=interval,
        alone_mean=float(human[labelled].mean()),
        alone=alone,
        weight=float(weight_C[codes[labelled]].mean()),
        worth=1.0 if why_not else items.variance(alone_C) / items.variance(spread_C),
        agreement=items.agreement(),
        labelled=int(labelled.sum()),
        items=human.size,
        left_out=why_not,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    human: Array
    judge: Array
    labelled: npt.NDArray[np.bool_]
    codes: Codes

    @property
    def clusters(self) -> int:
        return int(self.codes.max()) + 1

    @property
    def freedom(self) -> float:
        _, sizes = np.unique(self.codes[self.labelled], return_counts=True)
        return freedom_of(sizes / sizes.sum())

    def agreement(self) -> float | None:
        people, judge = self.human[self.labelled], self.judge[self.labelled]
        return float(np.corrcoef(people, judge)[0, 1]) if np.ptp(people) > 0 and np.ptp(judge) > 0 else None

    def why_not(self) -> str:
        """Why the judge is of no use here; empty where it is."""
        prompts = np.unique(self.codes[self.labelled]).size
        if np.ptp(self.judge) == 0:
            return "the judge says the same of every item"
        if self.labelled.all():
            return "people labelled every item"
        if prompts < FEWEST:
            return f"people labelled items of {prompts} prompts; below {FEWEST} what they say of the judge is too rough"
        return ""

    def weights(self, seed: int) -> Array:
        """The w of each cluster, from the labelled items of the other folds' clusters; (C,)."""
        asked = np.unique(self.codes[self.labelled])
        fold_C = np.full(self.clusters, -1)
        order = stream(seed, "folds of people's labels").permutation(asked.size)
        fold_C[asked[order]] = np.arange(asked.size) % FOLDS
        weight_C = np.zeros(self.clusters)
        for fold in range(FOLDS):
            weight_C[fold_C == fold] = self._best_weight(self.labelled & (fold_C != fold)[self.codes])
        return weight_C

    def _best_weight(self, used: npt.NDArray[np.bool_]) -> float:
        """The variance is a sum of (a + w b)^2 over clusters, a what people's labels pull, b what the judge's do."""
        people = _pull(self.human, used, self.codes, self.clusters)
        judge = self._judge_everywhere() - _pull(self.judge, used, self.codes, self.clusters)
        square = float(judge @ judge)
        return -float(people @ judge) / square if square > 0 else 0.0

    def _judge_everywhere(self) -> Array:
        return _pull(self.judge, np.ones(self.judge.size, dtype=np.bool_), self.codes, self.clusters)

    def mean(self, weight_C: Array) -> tuple[float, Array]:
        """The estimate, and each cluster's pull on it, (C,): of both halves, as a prompt may have items in either."""
        left = self.human - weight_C[self.codes] * self.judge
        overall = float(weight_C[self.codes[self.labelled]].mean())
        mean = float(left[self.labelled].mean()) + overall * float(self.judge.mean())
        return mean, _pull(left, self.labelled, self.codes, self.clusters) + overall * self._judge_everywhere()

    def variance(self, pull_C: Array) -> float:
        asked = np.unique(self.codes[self.labelled]).size
        return float(pull_C @ pull_C) * asked / (asked - 1) + UNSEEN / float(self.labelled.sum()) ** 2


def _pull(value_N: Array, used: npt.NDArray[np.bool_], codes: Codes, clusters: int) -> Array:
    """What each cluster pulls the mean of the used values by; (C,)."""
    value = value_N[used]
    return np.asarray(
        np.bincount(codes[used], weights=(value - value.mean()) / value.size, minlength=clusters), dtype=np.float64
    )


def _interval(mean: float, variance: float, freedom: float, level: float) -> Interval:
    """Student's t on log odds; the sum of two means may leave [0, 1], and its interval then ends there."""
    inside = min(max(mean, 1e-6), 1 - 1e-6)
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * math.sqrt(variance) / (inside * (1 - inside))
    low, high = (float(special.expit(special.logit(inside) + side * half)) for side in (-1, 1))
    return Interval(low=low, high=high, level=level, method="prediction-powered, t on log odds, clustered by prompt")
