"""What a reward spreads within prompts: by hand, with seeds that disagree, ties, equal texts; coverage."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.fit.config import FitConfig
from assay.audits.fit.told_apart import SampledPrompt, told_apart
from assay.findings.finding import Finding

CONFIG = FitConfig(resamples=300)


def prompt(*seeds: list[float], cluster: str = "p", texts: list[str] | None = None) -> SampledPrompt:
    return SampledPrompt(
        texts=texts or [f"t{n}" for n in range(len(seeds[0]))], cluster=cluster, category=None, rewards=np.array(seeds)
    )


def found(*prompts: SampledPrompt) -> dict[str, Finding]:
    return {one.name: one for one in told_apart(prompts, CONFIG)}


def test_spread_share_and_ties_by_hand() -> None:
    told = found(prompt([1.0, 3.0], cluster="a"), prompt([6.0, 6.0], cluster="b"), prompt([9.0, 13.0], cluster="c"))
    assert told["reward_spread"].known == pytest.approx((10 / 3) ** 0.5)  # variances 2, 0, 8
    # means 2, 6, 11: variance 61/3, of which 5/3 is what two answers a prompt leave; 10/3 of 10/3 + 56/3
    assert told["reward_spread_share"].known == pytest.approx(10 / 66)
    assert told["cannot_tell_apart"].known == pytest.approx(1 / 3)
    assert told["sample_ties"].known == pytest.approx(1 / 3)
    assert told["cannot_tell_apart"].bounds is not None


def test_rounding_is_a_tie_and_equal_texts_are_none() -> None:
    told = found(
        prompt([100.0, 100.00001, 50.0], cluster="a"), prompt([1.0, 1.0, 2.0], cluster="b", texts=["x", "x", "y"])
    )
    assert told["sample_ties"].known == pytest.approx((1 / 3 + 0) / 2)
    assert told["cannot_tell_apart"].known == 0
    one = found(prompt([1.0, 1.0], cluster="a", texts=["x", "x"]), prompt([1.0, 1.0], cluster="b", texts=["y", "y"]))
    assert one["cannot_tell_apart"].known is None
    assert "one answer only" in (one["cannot_tell_apart"].reason or "")


def test_all_equal_rewards_are_said_to_tell_nothing() -> None:
    told = found(*(prompt([2.0] * 4, cluster=str(n)) for n in range(20)))
    assert told["reward_spread"].known == 0
    assert told["reward_spread_share"].reason == "all rewards are the same"
    assert told["cannot_tell_apart"].known == 1
    assert found(prompt([1.0]))["reward_spread"].reason == "no prompt has two answers with a reward"


def test_seeds_that_only_disagree_cannot_tell_and_seeds_on_other_scales_can() -> None:
    rng = np.random.default_rng(0)
    prompts = []
    for n in range(60):
        truth, noise = rng.normal(size=8), rng.normal(size=(2, 8))
        agreed = n < 40
        values = (truth + 0.2 * noise) if agreed else noise
        prompts.append(prompt(list(values[0]), list(7 + 90 * values[1]), cluster=str(n)))
    told = found(*prompts)["cannot_tell_apart"]
    assert told.detail["all_equal"] == 0
    assert told.known == pytest.approx(1 / 3, abs=0.07)


@pytest.mark.slow
def test_intervals_cover() -> None:
    hits = {"reward_spread": 0, "reward_spread_share": 0}
    truth = {"reward_spread": 1.25**0.5, "reward_spread_share": 1.25 / 5.25}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        sizes = rng.choice([0.5**0.5, 2**0.5], 80)
        rewards = 2 * rng.normal(size=(80, 1)) + sizes[:, None] * rng.normal(size=(80, 8))
        told = found(*(prompt(list(row), cluster=str(n)) for n, row in enumerate(rewards)))
        for name in hits:
            bounds = told[name].bounds
            assert bounds is not None
            hits[name] += bounds.low <= truth[name] <= bounds.high
    assert all(0.91 * 300 <= count <= 0.985 * 300 for count in hits.values()), hits
