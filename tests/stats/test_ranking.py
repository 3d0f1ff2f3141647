"""Bradley-Terry: hand arithmetic, scipy's optimiser, what does not connect, and intervals that hold the truth."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import optimize, special

from assay.stats.intervals import Interval
from assay.stats.ranking import Place, bradley_terry
from assay.stats.unknown import Unknown

TRUTH = {"a": 0.8, "b": 0.0, "c": -0.8}


def ranked(found: tuple[Place, ...] | Unknown) -> dict[str, Place]:
    assert not isinstance(found, Unknown), found
    return {place.system: place for place in found}


def study(generator: np.random.Generator, prompts: int = 40) -> tuple[list[str], list[str], list[float], list[str]]:
    rows = []
    for prompt in range(prompts):
        for first, second in combinations(TRUTH, 2):
            chance = special.expit(TRUTH[first] - TRUTH[second])
            rows.append((first, second, float(generator.random() < chance), f"p{prompt}"))
    first, second, score, prompts_ = map(list, zip(*rows, strict=True))
    return first, second, score, prompts_  # type: ignore[return-value]


def test_two_systems_by_hand() -> None:
    # 3 wins of 4: odds 3, so log strengths are +-log(3)/2 and the chance to beat the average is sqrt(3)/(1 + sqrt(3)).
    found = ranked(bradley_terry(["x"] * 4, ["y"] * 4, [1, 1, 1, 0], list("1234"), resamples=20))
    assert found["x"].log_strength == pytest.approx(np.log(3) / 2, abs=1e-5)
    assert found["x"].score == pytest.approx(3**0.5 / (1 + 3**0.5), abs=1e-5)


def test_a_tie_is_half_a_win_for_both() -> None:
    ties = ranked(bradley_terry(["x"] * 4, ["y"] * 4, [1, 1, 0.5, 0.5], list("1234"), resamples=5))
    wins = ranked(bradley_terry(["x"] * 4, ["y"] * 4, [1, 1, 1, 0], list("1234"), resamples=5))
    assert ties["x"].log_strength == pytest.approx(wins["x"].log_strength, abs=1e-5)


def test_parity_with_scipys_maximum_likelihood() -> None:
    first, second, score, prompts = study(np.random.default_rng(1))
    score[::7] = [0.5] * len(score[::7])
    names = sorted(TRUTH)
    a, b = (np.array([names.index(name) for name in column]) for column in (first, second))
    y = np.array(score)

    def loss(strength: np.ndarray) -> float:
        logit = strength[a] - strength[b]
        return float((np.logaddexp(0, logit) - y * logit).sum() + strength.mean() ** 2)

    best = optimize.minimize(loss, np.zeros(3), tol=1e-12).x
    found = ranked(bradley_terry(first, second, score, prompts, resamples=5))
    for index, name in enumerate(names):
        assert found[name].log_strength == pytest.approx(best[index] - best.mean(), abs=1e-4)


def test_which_stood_first_does_not_matter() -> None:
    first, second, score, prompts = study(np.random.default_rng(2))
    one = ranked(bradley_terry(first, second, score, prompts, resamples=5))
    other = ranked(bradley_terry(second, first, [1 - value for value in score], prompts, resamples=5))
    for name in TRUTH:
        assert one[name].log_strength == pytest.approx(other[name].log_strength, abs=1e-5)


def test_intervals_hold_the_truth() -> None:
    generator, held = np.random.default_rng(5), 0
    for number in range(60):
        found = bradley_terry(*study(generator), resamples=100, seed=number)
        for name, place in ranked(found).items():
            assert isinstance(place.interval, Interval)
            held += place.interval.low <= special.expit(TRUTH[name]) <= place.interval.high
    assert 0.90 <= held / 180 <= 0.99


def test_the_level_asked_for_is_the_level_given() -> None:
    """Draws are the same at every level; 80% lies inside 95%, as wide as Student's t says where draws are normal."""
    comparisons = study(np.random.default_rng(3), prompts=200)
    wide, narrow = (ranked(bradley_terry(*comparisons, level=level, resamples=400)) for level in (0.95, 0.8))
    for name in TRUTH:
        outer, inner = wide[name].interval, narrow[name].interval
        assert isinstance(outer, Interval)
        assert isinstance(inner, Interval)
        assert (outer.level, inner.level) == (0.95, 0.8)
        assert outer.low < inner.low < inner.high < outer.high
        ratio = (outer.high - outer.low) / (inner.high - inner.low)
        assert ratio == pytest.approx(1.972 / 1.286, rel=0.12)  # t(199) at 0.975 and at 0.9


@pytest.mark.parametrize(
    ("first", "second", "score", "said"),
    [
        ([], [], [], "no votes"),
        (["a", "a"], ["b", "b"], [1, 1], "b never won and a never lost"),
        (["a", "a", "c", "c"], ["b", "b", "d", "d"], [1, 0, 1, 0], "never compared"),
        (["a", "a", "c", "c", "a"], ["b", "b", "d", "d", "c"], [1, 0, 1, 0, 1], "won every comparison"),
    ],
)
def test_no_ranking(first: list[str], second: list[str], score: list[float], said: str) -> None:
    found = bradley_terry(first, second, score, [str(n) for n in range(len(first))])
    assert isinstance(found, Unknown)
    assert said in found.reason


def test_one_prompt_ranks_without_an_interval() -> None:
    found = ranked(bradley_terry(["a", "b"], ["b", "a"], [1, 1], ["p", "p"]))
    assert isinstance(found["a"].interval, Unknown)
