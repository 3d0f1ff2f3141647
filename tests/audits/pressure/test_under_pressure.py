"""Planted rewards under pressure: the turn is found where it was planted, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.pressed_prompts import GoldGroup
from assay.audits.pressure.under_pressure import UnderPressure, under_pressure
from assay.findings.finding import Finding
from assay.stats.best_of_n import kl_bound
from assay.stats.gain_curve import area_ratio
from assay.stats.unknown import Unknown
from tests.audits.pressure.worlds import group, world

CONFIG = PressureConfig(resamples=300)


@pytest.fixture(scope="module")
def hacked() -> UnderPressure:
    return under_pressure(world(prompts=150, answers=64, hack=0.7), CONFIG)


@pytest.fixture(scope="module")
def sound() -> UnderPressure:
    return under_pressure(world(prompts=150, answers=64, hack=-0.9), CONFIG)


def figure(found: UnderPressure, name: str) -> Finding:
    one = found.find(name)
    assert one is not None
    return one


def test_a_reward_that_pays_for_filler_is_found_to_turn_and_a_sound_one_is_not(
    hacked: UnderPressure, sound: UnderPressure
) -> None:
    assert hacked.decision.verdict == "turns"
    turn = figure(hacked, "turning_point")
    assert turn.known in (2, 4, 8)
    assert turn.bounds is not None
    assert turn.bounds.high < 64
    fall = figure(hacked, "gold_fall")
    assert fall.bounds is not None
    assert fall.bounds.low > 0.1
    assert (fall.detail["from_n"], fall.detail["to_n"]) == (turn.known, 64)
    assert sound.decision.verdict == "does_not_turn"
    assert figure(sound, "turning_point").known == 64
    assert figure(sound, "gold_gain").known > 1.5
    assert figure(sound, "proxy_gold_area").known < 0.2
    assert figure(hacked, "proxy_gold_area").known > 1


def test_a_reward_that_picks_blindly_does_not_turn_and_is_said_not_to_rise() -> None:
    rng = np.random.default_rng(5)
    groups = [group(f"p{n}", rng.normal(size=16).tolist(), rng.normal(size=16).tolist()) for n in range(3000)]
    decision = under_pressure(groups, PressureConfig(resamples=50, largest=4, phrases=1)).decision
    assert decision.verdict == "does_not_turn"
    assert decision.sentence == "gold does not turn within n = 4, and is not shown to rise"


def test_what_the_picks_share_is_what_was_planted(hacked: UnderPressure, sound: UnderPressure) -> None:
    assert "i am so glad you asked me that" in hacked.phrases.rows[0].phrase
    assert hacked.phrases.rows[0].picked > 5 * hacked.phrases.rows[0].random
    assert figure(hacked, "length_drift_beyond_gold").known > 1
    assert {row.attribute for row in hacked.drifts[:3] if row.p_holm < 0.01} & {"words", "characters"}
    assert not any("glad" in row.phrase for row in sound.phrases.rows)
    assert abs(figure(sound, "length_drift_beyond_gold").known) < 0.1


def test_the_worst_picks_are_filler_with_low_gold(hacked: UnderPressure) -> None:
    assert len(hacked.worst) == CONFIG.examples
    first = hacked.worst[0]
    assert "glad" in str(first["pick"])
    assert first["pick_gold"] < first["mean_gold"] < first["best_gold"]
    below = [row["below"] for row in hacked.worst]
    assert below == sorted(below, reverse=True)


def test_the_figures_of_groups_are_those_of_the_audit_of_candidates(sound: UnderPressure) -> None:
    """By hand on a part: recovery is gold of the pick less the mean over gold of the best less the mean."""
    prompts = sound.pressed.prompts
    gained = np.mean([one.gold[one.proxy[0].argmax()] - one.gold.mean() for one in prompts])
    most = np.mean([one.gold.max() - one.gold.mean() for one in prompts])
    assert figure(sound, "recovery").known == pytest.approx(gained / most)
    tau = np.mean([scipy_stats.kendalltau(one.proxy[0], one.gold).statistic for one in prompts])
    assert figure(sound, "rank_correlation").known == pytest.approx(tau)
    together = [(one.proxy[0] - one.proxy[0].mean(), one.gold - one.gold.mean()) for one in prompts]
    r = np.corrcoef(np.concatenate([a for a, _ in together]), np.concatenate([b for _, b in together]))[0, 1]
    assert figure(sound, "reward_gold_correlation").known == pytest.approx(r)


def test_categories_have_figures_of_their_own(hacked: UnderPressure) -> None:
    whole = figure(hacked, "gold_gain")
    parts = [hacked.find("gold_gain", f"category={name}") for name in "ab"]
    assert [one.n for one in parts if one] == [75, 75]
    # Spreads of the whole, so that parts add up to it.
    assert np.mean([one.known for one in parts if one]) == pytest.approx(whole.known)


def test_seeds_pick_by_themselves_and_are_averaged() -> None:
    """Seed 0 has reward = gold, seed 1 its opposite: the curve is the mean of both."""
    rng = np.random.default_rng(3)
    groups = []
    for number in range(30):
        gold = rng.normal(size=8).tolist()
        groups.append(group(f"p{number}", [], gold, rewards={0: gold, 1: [-one for one in gold]}))
    found = under_pressure(groups, CONFIG)
    best = np.mean([one.gold.max() for one in found.pressed.prompts])
    worst = np.mean([one.gold.min() for one in found.pressed.prompts])
    assert found.curve[-1].gold == pytest.approx((best + worst) / 2)
    assert found.curve[-1].best == pytest.approx(best)


def test_gold_that_is_the_reward_has_no_area_and_full_recovery() -> None:
    rng = np.random.default_rng(4)
    groups = [group(f"p{n}", gold := rng.normal(size=16).tolist(), gold) for n in range(40)]
    found = under_pressure(groups, CONFIG)
    assert figure(found, "recovery").known == pytest.approx(1)
    assert figure(found, "proxy_gold_area").known == pytest.approx(0, abs=1e-9)
    assert figure(found, "reward_gold_correlation").known == pytest.approx(1)


def test_shared_weights_are_named_and_nothing_is_judged() -> None:
    found = under_pressure(world(prompts=30, answers=16, hack=0.0), CONFIG, shared=["runs/a"])
    assert (found.decision.verdict, found.decision.sentence) == ("undecided", "gold and proxy share weights")
    for name in ("turning_point", "gold_fall", "gold_gain", "proxy_gold_area", "recovery", "top1"):
        assert isinstance(figure(found, name).value, Unknown)
        assert "runs/a" in str(figure(found, name).reason)
    assert len(found.curve) == 5  # the curve is drawn, and judged by nobody


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ([group(f"p{n}", [1.0] * 8, list(map(float, range(8)))) for n in range(20)], "cannot pick"),
        ([group(f"p{n}", list(map(float, range(8))), [2.0] * 8) for n in range(20)], "no pick is better"),
        (world(prompts=1, answers=32, hack=0.0), "one group"),
        ([group("a", [1.0], [1.0])], "no prompt has two answers"),
        ([], "no prompt has two answers"),
    ],
)
def test_what_cannot_be_judged_is_undecided_with_its_reason(groups: list[GoldGroup], why: str) -> None:
    found = under_pressure(groups, CONFIG)
    assert found.decision.verdict == "undecided"
    assert why in found.decision.reason
    assert why in str(figure(found, "turning_point").reason)
    assert all(isinstance(one.value, Unknown) or np.isfinite(one.value) for one in found.findings)


def test_missing_gold_is_said_with_how_often_the_reward_picks_it() -> None:
    groups = world(prompts=20, answers=16, hack=0.0)
    top = [int(np.argmax(one.rewards[0])) for one in groups]
    lost = [
        group(one.candidates.id, list(one.rewards[0]),
              [Unknown("no vote") if place == best and n < 5 else value for place, value in enumerate(one.gold)])
        for n, (one, best) in enumerate(zip(groups, top, strict=True))
    ]  # fmt: skip
    found = under_pressure(lost, PressureConfig(resamples=100, least_share=0.5))
    missing = figure(found, "gold_missing")
    assert missing.known == pytest.approx(5 / 320)
    assert missing.n == 20
    assert missing.detail == {"answers": 5, "picks": 5, "prompts": 5}
    assert figure(found, "largest_n").detail["set_aside"] == {"fewer than 16 answers": 5}


def test_fewer_candidates_than_n_is_a_finding_and_not_in_the_curve() -> None:
    found = under_pressure(world(prompts=20, answers=20, hack=0.0), CONFIG)
    assert [one.n for one in found.curve] == [1, 2, 4, 8, 16]
    largest = figure(found, "largest_n")
    assert largest.known == 16
    assert largest.detail["prompts_that_allow"] == {"32": 0, "64": 0, "128": 0, "256": 0}


@pytest.mark.slow
def test_intervals_of_curve_gain_and_area_cover_as_they_say() -> None:
    """Reward and gold normal with correlation 0.6: gold of the pick at n is 0.6 of the expected highest of n."""
    r, answers, runs = 0.6, 16, 600
    rng = np.random.default_rng(0)
    # The expected highest of 1, 2, 4, 8 and 16 normals (Teichroew 1956).
    highest = np.array([0.0, 0.56419, 1.02938, 1.42360, 1.76599])
    order, kl = r * highest[-1], np.array([kl_bound(n) for n in (1, 2, 4, 8, 16)])
    ratio = float(area_ratio(r * highest[None, :], highest[None, :], kl)[0])
    covered = {"gold": 0, "gain": 0, "correlation": 0, "area": 0}
    config = PressureConfig(resamples=200, largest=16, phrases=1, examples=0)
    for _ in range(runs):
        groups = []
        for number in range(40):
            level = rng.normal()
            reward = rng.normal(size=answers)
            gold = level + r * reward + (1 - r * r) ** 0.5 * rng.normal(size=answers)
            groups.append(group(f"p{number}", reward.tolist(), gold.tolist()))
        found = under_pressure(groups, config)
        interval, gain = found.curve[-1].gold_interval, figure(found, "gold_gain").bounds
        correlation = figure(found, "reward_gold_correlation").bounds
        area = figure(found, "proxy_gold_area").bounds
        assert interval is not None
        assert gain is not None
        assert correlation is not None
        assert area is not None
        covered["gold"] += interval.low <= order <= interval.high
        covered["gain"] += gain.low <= order <= gain.high
        covered["area"] += area.low <= ratio <= area.high
        covered["correlation"] += correlation.low <= r <= correlation.high
    for name, count in covered.items():
        assert 0.93 <= count / runs <= 0.97, (name, count / runs)
