"""Whether sigmoid(margin) can be read as a probability. Knows margins and order; knows no text."""

from __future__ import annotations

import numpy as np
from scipy import special

from assay.artifacts.audit_body import CalibrationTable, ReliabilityRow
from assay.audits.config import AuditConfig
from assay.audits.pairs.audit_tables import interval_row
from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned
from assay.findings.finding import Finding, Judgement, measured, unknown
from assay.stats.intervals import Array, Interval
from assay.stats.reliability import calibration_interval, expected_calibration_error, reliability

EDGES = tuple(float(edge) for edge in np.round(np.linspace(0.5, 1.0, 11), 2))


def stated_and_right(margin_SN: Array) -> tuple[Array, Array]:
    """The probability stated for the answer the reward prefers, and whether people agreed (1, 0; a tie 0.5); (S, N)."""
    return np.asarray(special.expit(np.abs(margin_SN))), np.asarray(0.5 + 0.5 * np.sign(margin_SN))


def calibration_audit(aligned: Aligned, *, config: AuditConfig) -> tuple[Finding, CalibrationTable | None]:
    """The expected calibration error over all seeds, and its reliability table."""
    usable = aligned.finite.all(axis=0)
    n = int(usable.sum())
    if n == 0:
        return unknown(MEANINGS["calibration_error"], "no pair has finite rewards with every seed", n=0), None
    stated, right = (both.ravel() for both in stated_and_right(aligned.margin[:, usable]))
    # A pair stands here once a seed, in one and the same group, so seeds do not count as further evidence.
    groups = np.tile(aligned.groups[usable], len(aligned.seeds))
    error = expected_calibration_error(stated, right, edges=EDGES)
    interval = calibration_interval(
        stated, right, groups, edges=EDGES, level=config.level, resamples=config.resamples, seed=config.seed
    )
    verdict: Judgement | None = None
    if isinstance(interval, Interval):
        verdict = "ok" if interval.low <= 0.05 else "warning" if interval.low <= 0.15 else "problem"
    detail = {"mean_stated": float(stated.mean()), "share_right": float(right.mean())}
    finding = measured(MEANINGS["calibration_error"], error, n=n, interval=interval, verdict=verdict, detail=detail)
    bins = [
        ReliabilityRow(
            low=each.low,
            high=each.high,
            n=each.n,
            stated=each.stated,
            observed=each.observed,
            interval=interval_row(each.interval),
        )
        for each in reliability(stated, right, groups, edges=EDGES, level=config.level)
    ]
    return finding, {"bins": bins, "seeds": list(aligned.seeds), "error": error}
