"""Alarms of one audit are judged together: seldom wrong as a family, and silence on too little is no all-clear."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from assay.findings.alarm import Alarm
from assay.findings.family import judged_together
from assay.findings.finding import Finding, measured
from assay.findings.vocabulary import Meaning

SHARE = Meaning(name="accuracy", unit="share", why="Because.")


def figure(p: float, *, power: float | None = None) -> Finding:
    return measured(SHARE, 0.5, n=3, alarm=Alarm(p=p, power=power), detail={"clusters": 3})


def test_holm_decides_and_says_its_own_p_value() -> None:
    described = measured(SHARE, 0.5, n=3, verdict="problem")
    found = judged_together([figure(0.03), described, figure(0.01), figure(0.04)], level=0.95)
    assert [one.verdict for one in found] == ["ok", "problem", "warning", "ok"]
    assert found[1] is described
    assert found[2].detail == pytest.approx({"clusters": 3, "p": 0.01, "p_of_family": 0.03, "alarms_in_family": 3})


def test_silence_on_too_little_is_called_so_and_an_alarm_is_an_alarm_on_however_little() -> None:
    words = [one.verdict for one in judged_together([figure(0.2, power=0.3), figure(0.2, power=0.9)], level=0.95)]
    assert words == ["too_few", "ok"]
    assert judged_together([figure(0.001, power=0.1)], level=0.95)[0].verdict == "warning"


def test_a_clean_family_goes_off_in_at_most_its_share() -> None:
    random = np.random.default_rng(0)
    together = random.normal(size=(2000, 1))  # alarms of one audit lean the same way
    p = norm.sf((together + random.normal(size=(2000, 20))) / np.sqrt(2))
    off = [
        any(one.verdict == "warning" for one in judged_together([figure(float(each)) for each in row], level=0.95))
        for row in p
    ]
    assert 0.01 <= np.mean(off) <= 0.05


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_value_is_a_chance(p: float) -> None:
    with pytest.raises(ValueError, match="p value"):
        Alarm(p=p)
