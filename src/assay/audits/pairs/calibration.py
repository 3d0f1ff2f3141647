"""Whether sigmoid(margin) can be read as a probability. Knows margins, votes and order; knows no text."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.artifacts.audit_body import CalibrationTable, ReliabilityRow
from assay.audits.config import AuditConfig
from assay.audits.pairs.audit_tables import interval_row
from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned, Mask
from assay.findings.alarm import Alarm
from assay.findings.finding import Detail, Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.stats.calibration_error import CalibrationError, calibration_error
from assay.stats.confidence_slope import ConfidenceSlope, confidence_slope
from assay.stats.intervals import Array, Codes, Interval, cluster_skew_t
from assay.stats.reliability import expected_calibration_error, reliability
from assay.stats.unknown import Unknown

EDGES = tuple(float(edge) for edge in np.round(np.linspace(0.5, 1.0, 11), 2))
TOLERATED_ERROR = 0.05  # of a probability
TOLERATED_SLOPE = 1.05  # either way
WEIGHT = 3.0  # in the family of alarms (findings/alarm.py): a sound reward stands near what is tolerated
SMALLEST = 1e-12  # of a probability, in logarithms
ALWAYS = (
    "calibration_error",
    "calibration_slope",
    "temperature",
    "calibration_error_after_temperature",
    "brier_score",
    "log_loss",
)
NO_VOTES = "no pair has votes of annotators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Margins and what came of them, a row a pair and seed. margin: (M,); came_true: 1, 0 or a share of votes, (M,).

    groups: a pair stands here once a seed, in one and the same group, so seeds do not count as further evidence.
    """

    margin: Array
    came_true: Array
    groups: Codes
    pairs: int

    def at_temperature(self, temperature: float) -> Stated:
        return Stated(margin=self.margin / temperature, came_true=self.came_true, groups=self.groups, pairs=self.pairs)

    @property
    def confidence(self) -> Array:
        """The probability stated for the answer the reward prefers, from 1/2 to 1."""
        return np.asarray(special.expit(np.abs(self.margin)))

    @property
    def right(self) -> Array:
        """How far people agreed with the reward's answer; a tie of the reward 1/2."""
        turned = np.where(self.margin < 0, 1 - self.came_true, self.came_true)
        return np.where(self.margin == 0, 0.5, turned)

    @property
    def brier(self) -> Array:
        """Squared distance of the stated chance, of each row."""
        return np.asarray((special.expit(self.margin) - self.came_true) ** 2)

    @property
    def log_loss(self) -> Array:
        """In nats, of each row."""
        return np.asarray(np.logaddexp(0, -self.margin) + (1 - self.came_true) * self.margin)


def calibration_audit(aligned: Aligned, *, config: AuditConfig) -> tuple[list[Finding], CalibrationTable | None]:
    """Error, slope, scores and temperature against the labels; slope and error by category and against votes."""
    usable = np.asarray(aligned.finite.all(axis=0))
    if not usable.any():
        reason = "no pair has finite rewards with every seed"
        return [unknown(MEANINGS[name], reason, n=0) for name in ALWAYS], None
    every = _against_labels(aligned, usable)
    level = config.level
    error = calibration_error(every.confidence, every.right, every.groups)
    slope = confidence_slope(every.margin, every.came_true, every.groups)
    found = [
        _error(every, error, level=level),
        _slope(every, slope, level=level),
        _temperature(every, slope, level=level),
        _after_temperature(every, slope, level=level),
        _score("brier_score", every, every.brier, _brier_parts(every, error), level=level),
        _score("log_loss", every, every.log_loss, _log_parts(every), level=level),
        *_against_votes(aligned, usable, level=level),
    ]
    for where, mask in aligned.slices()[1:]:
        found += _of_category(aligned, usable & mask, where, level=level)
    return found, _table(aligned, every, level=level)


def _against_labels(aligned: Aligned, usable: Mask) -> Stated:
    margin = aligned.margin[:, usable].ravel()
    return Stated(
        margin=margin,
        came_true=np.ones(margin.size),
        groups=np.tile(aligned.groups[usable], len(aligned.seeds)),
        pairs=int(usable.sum()),
    )


def _error(
    stated: Stated, error: CalibrationError | Unknown, *, level: float, where: Slice = OVERALL, name: str = ""
) -> Finding:
    meaning = MEANINGS[name or "calibration_error"]
    if isinstance(error, Unknown):
        return unknown(meaning, error.reason, n=stated.pairs, slice=where)
    interval = error.interval(level)
    judged = meaning.name == "calibration_error" and where == OVERALL
    p = error.chance_above(TOLERATED_ERROR)
    # Silence says something where twice what is tolerated would not look like this.
    alarm = Alarm(p=p, power=1.0 if interval.high < 2 * TOLERATED_ERROR else 0.0) if judged else None
    detail = {
        "mean_stated": float(stated.confidence.mean()),
        "share_right": float(stated.right.mean()),
        "plain_error": expected_calibration_error(stated.confidence, stated.right, edges=EDGES),
        "p_calibrated": error.chance_above(0.0),
        "bins": error.bins,
    }
    return measured(meaning, error.error, n=stated.pairs, interval=interval, slice=where, alarm=alarm, detail=detail)


def _slope(
    stated: Stated, slope: ConfidenceSlope | Unknown, *, level: float, where: Slice = OVERALL, name: str = ""
) -> Finding:
    meaning = MEANINGS[name or "calibration_slope"]
    if isinstance(slope, Unknown):
        return unknown(meaning, slope.reason, n=stated.pairs, slice=where)
    bold, timid = slope.chance_below(1 / TOLERATED_SLOPE), 1 - slope.chance_below(TOLERATED_SLOPE)
    interval = slope.interval(level)
    judged = meaning.name == "calibration_slope" and where == OVERALL
    # Silence says something where claims half as bold again, or as timid, would not look like this.
    power = 1.0 if interval.low > 1 / 1.5 and interval.high < 1.5 else 0.0
    alarm = Alarm(p=min(1.0, 2 * min(bold, timid)), power=power, weight=WEIGHT) if judged else None
    direction = "over-confident" if interval.high < 1 else "under-confident" if interval.low > 1 else "not told"
    detail: Detail = {"direction": direction, "p_over_confident": bold, "p_under_confident": timid}
    shown: Interval | Unknown = interval
    if math.isinf(interval.high):
        shown = Unknown("so few pairs are wrong that nothing bounds the slope above")
    return measured(meaning, slope.slope, n=stated.pairs, interval=shown, slice=where, alarm=alarm, detail=detail)


def _temperature(stated: Stated, slope: ConfidenceSlope | Unknown, *, level: float) -> Finding:
    meaning = MEANINGS["temperature"]
    if isinstance(slope, Unknown):
        return unknown(meaning, slope.reason, n=stated.pairs)
    around = slope.interval(level)
    shown: Interval | Unknown = Unknown("so few margins say anything that nothing bounds the temperature above")
    if around.low > 0:
        shown = Interval(low=1 / around.high, high=1 / around.low, level=level, method=around.method)
    mended = stated.at_temperature(1 / slope.slope)
    detail = {"brier_score_after": float(mended.brier.mean()), "log_loss_after": float(mended.log_loss.mean())}
    return measured(meaning, 1 / slope.slope, n=stated.pairs, interval=shown, detail=detail)


def _after_temperature(stated: Stated, slope: ConfidenceSlope | Unknown, *, level: float) -> Finding:
    name = "calibration_error_after_temperature"
    if isinstance(slope, Unknown):
        return unknown(MEANINGS[name], slope.reason, n=stated.pairs)
    mended = stated.at_temperature(1 / slope.slope)
    error = calibration_error(mended.confidence, mended.right, mended.groups)
    return _error(mended, error, level=level, name=name)


def _score(name: str, stated: Stated, values: Array, parts: Detail, *, level: float) -> Finding:
    interval = cluster_skew_t(values, stated.groups, level=level)
    return measured(MEANINGS[name], float(values.mean()), n=stated.pairs, interval=interval, detail=parts)


def _brier_parts(stated: Stated, error: CalibrationError | Unknown) -> Detail:
    """Brier = reliability - resolution + uncertainty + what is within bins; either answer may come first, so 1/4 is all
    the uncertainty there is. Source: Murphy 1973; luck taken off reliability and resolution (Broecker 2012)."""
    uncertainty = 0.25
    if isinstance(error, Unknown):
        return {"reliability": None, "resolution": None, "uncertainty": uncertainty, "within_bins": None}
    off, known = error.error**2, error.resolution
    brier = float(stated.brier.mean())
    within = brier - (off - known + uncertainty)
    return {"reliability": off, "resolution": known, "uncertainty": uncertainty, "within_bins": within}


def _log_parts(stated: Stated) -> Detail:
    """The same in nats, in the bins of the diagram: reliability is what stating each bin's own share would save."""
    confidence, right = stated.confidence, stated.right
    place = np.clip(np.searchsorted(np.asarray(EDGES), confidence, side="right") - 1, 0, len(EDGES) - 2)
    size = np.maximum(np.bincount(place, minlength=len(EDGES) - 1), 1)
    seen = np.bincount(place, weights=right, minlength=len(EDGES) - 1) / size
    entropy = _entropy(seen)[place]
    loss, uncertainty = float(stated.log_loss.mean()), math.log(2)
    best = float(entropy.mean())
    return {"reliability": loss - best, "resolution": uncertainty - best, "uncertainty": uncertainty}


def _entropy(share: Array) -> Array:
    inside = np.clip(share, SMALLEST, 1 - SMALLEST)
    return np.asarray(-(inside * np.log(inside) + (1 - inside) * np.log1p(-inside)))


def vote_shares(aligned: Aligned) -> tuple[Array, Mask]:
    """Share of the votes for chosen, ties half and abstentions left out, and which pairs have any; (N,)."""
    worth = {"chosen": 1.0, "tie": 0.5, "rejected": 0.0}
    told = [[worth[vote.choice] for vote in pair.votes if vote.choice in worth] for pair in aligned.pairs]
    return np.array([sum(votes) / len(votes) if votes else 0.0 for votes in told]), np.array([bool(v) for v in told])


def _against_votes(aligned: Aligned, usable: Mask, *, level: float) -> list[Finding]:
    """How the margins do as chances of one vote, which is not the chance of the majority."""
    if not any(pair.votes for pair in aligned.pairs):
        return []
    share, voted = vote_shares(aligned)
    mask = usable & voted
    if not mask.any():
        names = ("calibration_slope_votes", "calibration_error_votes")
        return [unknown(MEANINGS[name], NO_VOTES, n=0) for name in names]
    labels = _against_labels(aligned, mask)
    votes = Stated(
        margin=labels.margin,
        came_true=np.tile(share[mask], len(aligned.seeds)),
        groups=labels.groups,
        pairs=labels.pairs,
    )
    slope = confidence_slope(votes.margin, votes.came_true, votes.groups)
    error = calibration_error(votes.confidence, votes.right, votes.groups)
    return [
        _slope(votes, slope, level=level, name="calibration_slope_votes"),
        _error(votes, error, level=level, name="calibration_error_votes"),
    ]


def _of_category(aligned: Aligned, mask: Mask, where: Slice, *, level: float) -> list[Finding]:
    if not mask.any():
        names = ("calibration_error", "calibration_slope")
        return [unknown(MEANINGS[name], "no pair has finite rewards", n=0, slice=where) for name in names]
    stated = _against_labels(aligned, mask)
    error = calibration_error(stated.confidence, stated.right, stated.groups)
    slope = confidence_slope(stated.margin, stated.came_true, stated.groups)
    return [_error(stated, error, level=level, where=where), _slope(stated, slope, level=level, where=where)]


def _table(aligned: Aligned, every: Stated, *, level: float) -> CalibrationTable:
    bins = [
        ReliabilityRow(
            low=each.low,
            high=each.high,
            n=each.n,
            stated=each.stated,
            observed=each.observed,
            interval=interval_row(each.interval),
        )
        for each in reliability(every.confidence, every.right, every.groups, edges=EDGES, level=level)
    ]
    plain = expected_calibration_error(every.confidence, every.right, edges=EDGES)
    return {"bins": bins, "seeds": list(aligned.seeds), "error": plain}
