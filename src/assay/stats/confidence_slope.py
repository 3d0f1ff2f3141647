"""Whether log odds are stated too boldly or too timidly: the slope b at which P = sigmoid(b x) fits what came true.

b = 1 where stated log odds are right, below 1 where they claim more than they keep, above 1 where less; 1/b is the
temperature that mends it. Knows stated log odds and outcomes; knows no reward. Shapes: N events, G clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from assay.stats.intervals import Array, Interval, Names, cluster_codes, freedom_of
from assay.stats.unknown import Unknown

NEAR = 1e-3  # roots of the likelihood ratio taken as none
CORRECTED = 0.9  # of the root: more is no correction of it
FURTHEST = 1e4  # slopes looked at: 1/FURTHEST to FURTHEST of the scale of the log odds


@dataclass(frozen=True, kw_only=True)
class ConfidenceSlope:
    """slope: b, above 0. log_odds, outcome: of each event, (N,), log odds at least 0. codes: its cluster, (N,)."""

    slope: float
    log_odds: Array
    outcome: Array
    codes: npt.NDArray[np.intp]
    freedom: float

    def evidence_against(self, slope: float) -> float:
        """As a normal's quantile: above 0 where the data ask for a steeper slope than this, below 0 for a flatter.

        The signed root of the likelihood ratio with Barndorff-Nielsen's correction, r + log(v/r)/r, which is the
        saddlepoint approximation of what the fitted pull says of `slope`: good far into the tails and where a handful
        of events are wrong. A score test by what the pulls themselves vary by is not (in the samples with the fewest
        wrong, both the score and its seeming error are small: at 98% right and 400 pairs it held the truth in 90%).
        Divided by the root of the design effect, as if every cluster's events were that many fewer. Source: Davison
        2003, section 12.3.
        """
        away = self.slope - slope
        gain = float((self._log_likelihood(self.slope) - self._log_likelihood(slope)).sum())
        root = math.copysign(math.sqrt(max(2 * gain, 0.0)), away)
        wald = away * math.sqrt(self._information(self.slope))
        if abs(root) < NEAR:  # log(v/r)/r is 0/0 at the estimate and runs straight through it
            return root / math.sqrt(self.design_effect)
        scaled = root / math.sqrt(self.design_effect)
        # Of a handful of events, one of them far out, it may be larger than the root itself, and say the opposite.
        most = CORRECTED * abs(scaled)
        return scaled + min(max(math.log(wald / root) / scaled, -most), most)

    def _log_likelihood(self, slope: float) -> Array:
        logit = slope * self.log_odds
        return np.asarray(self.outcome * logit - np.logaddexp(0, logit))

    def _information(self, slope: float) -> float:
        chance = special.expit(slope * self.log_odds)
        return float((np.square(self.log_odds) * chance * (1 - chance)).sum())

    @cached_property
    def design_effect(self) -> float:
        """Variance of the clusters' pulls at the estimate over the variance that independent events would have.

        At least 1 where events come true or not: below that it is luck. Shares of votes may vary less.
        """
        chance = special.expit(self.slope * self.log_odds)
        pull_G = np.bincount(self.codes, weights=self.log_odds * (self.outcome - chance))
        clustered = float(np.square(pull_G).sum()) * pull_G.size / (pull_G.size - 1)
        independent = self._information(self.slope)
        effect = clustered / independent if independent > 0 else 1.0
        return max(effect, 1.0) if bool(np.isin(self.outcome, (0.0, 1.0)).all()) else max(effect, 1e-6)

    def chance_below(self, slope: float) -> float:
        """One-sided p of "b is at least `slope`": small where the log odds are clearly too bold for it."""
        return float(np.clip(special.stdtr(self.freedom, self.evidence_against(slope)), 0.0, 1.0))

    def interval(self, level: float = 0.95) -> Interval:
        """All slopes that the evidence does not reject. It holds where few events are wrong; Wald's does not."""
        bar = float(special.stdtrit(self.freedom, 0.5 + level / 2))
        ends = [self._where(sign * bar, sign) for sign in (1.0, -1.0)]
        return Interval(low=ends[0], high=ends[1], level=level, method="likelihood ratio, clustered by prompt group")

    def _where(self, bar: float, sign: float) -> float:
        """The slope at which the evidence is `bar`, below (sign 1) or above the estimate; the furthest looked at."""
        near, far = self.slope, self.slope
        for _ in range(40):
            far = far / 1.25 if sign > 0 else far * 1.25
            if (self.evidence_against(far) - bar) * sign >= 0:
                low, high = sorted((near, far))
                return float(optimize.brentq(lambda slope: self.evidence_against(slope) - bar, low, high, rtol=1e-6))
            near = far
        return 0.0 if sign > 0 else math.inf


def confidence_slope(log_odds_N: npt.ArrayLike, outcome_N: npt.ArrayLike, clusters: Names) -> ConfidenceSlope | Unknown:
    """Fit b by maximum likelihood. outcome: 1 where the event came true, 0 where not, or a share of votes.

    Unknown where nothing is wrong (any steeper slope fits better), where nothing is right, or with one cluster.

    >>> round(confidence_slope([1.0] * 4, [1, 1, 1, 0], [0, 1, 2, 3]).slope, 4)  # log odds of three in four
    1.0986
    """
    log_odds, outcome = np.asarray(log_odds_N, dtype=np.float64), np.asarray(outcome_N, dtype=np.float64)
    codes = cluster_codes(clusters)
    if log_odds.size == 0 or int(codes.max()) < 1:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    if not (log_odds != 0).any():
        return Unknown("the reward is the same for both answers of every pair")
    # Turned so that each states at least one half; which answer comes first is no part of the question.
    outcome, log_odds = np.where(log_odds < 0, 1 - outcome, outcome), np.abs(log_odds)
    scale = float(np.sqrt((log_odds**2).mean()))

    def pull(logarithm: float) -> float:
        return float((log_odds * (outcome - special.expit(math.exp(logarithm) * log_odds))).sum())

    if float((log_odds * (outcome - 0.5)).sum()) <= 0:
        return Unknown("larger margins are not right more often, so no slope above 0 fits")
    ends = -math.log(scale) - math.log(FURTHEST), -math.log(scale) + math.log(FURTHEST)
    if pull(ends[1]) >= 0:
        return Unknown("no pair with a margin is wrong, so margins may be as bold as they like")
    if pull(ends[0]) <= 0:
        return Unknown("larger margins are hardly right more often, so no slope fits")
    slope = math.exp(float(optimize.brentq(pull, *ends, xtol=1e-10)))
    return ConfidenceSlope(
        slope=slope,
        log_odds=log_odds,
        outcome=outcome,
        codes=codes,
        freedom=freedom_of(np.bincount(codes) / codes.size),
    )
