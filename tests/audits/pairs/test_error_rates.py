"""How often the audit is wrong: sound rewards seldom set anything off, defects that matter nearly always do.

A few dozen audits each; `python benchmarks/operating_table.py` gives the figures of docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from assay.audits import Audit
from assay.records import Pair, PairScore
from tests.audits.planted import audited, make_pairs

Change = Callable[[np.ndarray, np.ndarray], np.ndarray]


def drawn(seed: int, *, spread: float, count: int = 1000, change: Change = lambda margin, _: margin) -> Audit:
    """A reward calibrated on what people prefer, changed by a function of (margin, length difference)."""
    rng = np.random.default_rng([seed, 99])
    pairs = make_pairs(count, longer_preferred=0.5, seed=seed)
    worth = rng.normal(0, spread, count)
    right = rng.random(count) < special.expit(worth)
    length = np.array([len(p.chosen) - len(p.rejected) for p in pairs]) / 150
    # The pair is told from the side people preferred; the sign of the length difference goes with it.
    margin = np.where(right, 1.0, -1.0) * change(worth, np.where(right, 1.0, -1.0) * length)
    return audited([scored(p, m, rng) for p, m in zip(pairs, margin, strict=True)], pairs)


def scored(pair: Pair, margin: float, rng: np.random.Generator) -> PairScore:
    level = float(rng.normal())
    return PairScore(pair_id=pair.id, chosen=level + margin / 2, rejected=level - margin / 2)


def went_off(found: Audit) -> set[str]:
    return {finding.name for finding in found.findings if finding.verdict in ("warning", "problem")}


@pytest.mark.slow
@pytest.mark.parametrize("spread", [2.3, 11.0, 27.7])  # right on 80, 95 and 98%
@pytest.mark.parametrize("count", [200, 1000])
def test_a_calibrated_reward_seldom_sets_anything_off(spread, count):
    off = [went_off(drawn(seed, spread=spread, count=count)) for seed in range(60)]
    # 5% of 60 are 3; seven or more would come once in forty times.
    assert sum(map(bool, off)) <= 6, [names for names in off if names]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda margin, length: 2 * margin, "calibration_slope"),
        (lambda margin, length: margin / 2, "calibration_slope"),
        (lambda margin, length: length, "accuracy_without_length"),
        (lambda margin, length: length, "gain_over_length"),
        (lambda margin, length: np.random.default_rng(0).normal(size=margin.size), "accuracy"),
    ],
)
def test_what_matters_is_found_by_name(change, name):
    found = [went_off(drawn(seed, spread=2.3, change=change)) for seed in range(20)]
    assert sum(name in names for names in found) >= 19
