"""Two scorers on the same pairs: figures by hand, verdicts on planted differences, and how often they are wrong."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from assay.audits.compare.accuracy_difference import Difference
from assay.audits.compare.compared import Comparison, compared
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.decision import decide, more_pairs
from assay.records import Pair, PairScore
from assay.stats.paired_tests import mcnemar_exact

CONFIG = CompareConfig(smallest_slice=2)


def pairs_of(count: int, per_prompt: int = 1, **more) -> list[Pair]:
    return [Pair(id=f"p{n}", prompt=f"q{n // per_prompt}", chosen="yes", rejected="no", **more) for n in range(count)]


def right(pairs: list[Pair], is_right) -> list[PairScore]:
    """Margin 1 where right, -1 where wrong."""
    return [
        PairScore(pair_id=p.id, chosen=1.0 if ok else -1.0, rejected=0.0) for p, ok in zip(pairs, is_right, strict=True)
    ]


def compare(a, b, pairs: list[Pair], config: CompareConfig = CONFIG) -> Comparison:
    return compared({0: right(pairs, a)}, {0: right(pairs, b)}, pairs, [str(p.prompt) for p in pairs], config=config)


def test_ten_pairs_by_hand() -> None:
    """A right on 8, B on 5: on 4 pairs only A, on 1 only B, so the difference is .3 and McNemar 2 (1 + 5) / 32."""
    a = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    b = [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
    found = compare(a, b, pairs_of(10))
    one = found.find("accuracy_difference")
    assert one.known == pytest.approx(0.3)
    assert (one.detail["a_only"], one.detail["b_only"]) == (4, 1)
    assert one.detail["mcnemar_p"] == pytest.approx(12 / 32)
    assert one.detail["p"] == pytest.approx(12 / 32)  # one pair a prompt: the two tests are one
    # Deviations from .3: 4 of .7, 1 of -1.3, 5 of -.3: sum of squares 4.1, error sqrt(4.1 / 90), t(9) = 2.262
    assert one.bounds.high - one.bounds.low == pytest.approx(2 * 2.2622 * math.sqrt(4.1 / 90), rel=1e-4)
    assert found.find("same_preference").known == pytest.approx(0.5)
    assert found.find("accuracy_of_a").known == pytest.approx(0.8)
    assert found.decision.verdict == "undecided"


def test_exchanging_the_sides_exchanges_the_verdict() -> None:
    draw = np.random.default_rng(0)
    pairs = pairs_of(400)
    a, b = draw.random(400) < 0.85, draw.random(400) < 0.65
    one, other = compare(a, b, pairs), compare(b, a, pairs)
    assert (one.decision.sentence, other.decision.sentence) == ("A is better", "B is better")
    assert one.find("accuracy_difference").known == pytest.approx(-other.find("accuracy_difference").known)
    assert one.decision.more_pairs is None


def test_one_fingerprint_is_one_scorer() -> None:
    pairs = pairs_of(30)
    scores = {0: right(pairs, [1] * 30)}
    found = compared(scores, scores, pairs, [str(p.prompt) for p in pairs], config=CONFIG, same=True)
    assert found.decision.verdict == "undecided"
    assert "same scorer" in found.decision.reason
    assert found.decision.more_pairs is None
    assert found.differences == ()


def test_a_handful_of_differing_pairs_is_no_verdict() -> None:
    """Five pairs of 1,000, all for A: the t interval leaves out 0, a coin falls so in 2 of 32."""
    a, b = np.ones(1000), np.ones(1000)
    b[:5] = 0
    found = compare(a, b, pairs_of(1000))
    assert found.find("accuracy_difference").bounds.low > 0
    assert found.find("accuracy_difference").detail["p"] == pytest.approx(2 / 32)
    assert found.decision.verdict == "undecided"
    assert "too few prompt groups" in found.decision.reason


def test_pairs_of_one_prompt_count_as_one_draw() -> None:
    """Forty pairs under four prompts, all for A: four coins, of which the least likely fall is 2 of 16."""
    found = compare(np.ones(40), np.zeros(40), pairs_of(40, per_prompt=10))
    assert found.find("accuracy_difference").detail["mcnemar_p"] == mcnemar_exact(40, 0)
    assert found.find("accuracy_difference").detail["p"] == pytest.approx(2 / 16)
    assert found.decision.verdict == "undecided"


def test_a_part_on_which_b_is_better_stands_out_among_many() -> None:
    draw = np.random.default_rng(1)
    pairs = [
        Pair(
            id=f"p{n}",
            prompt=f"q{n}",
            chosen="yes",
            rejected="no",
            category=f"c{n % 10}",
            source={"made_by": "xy"[n % 2]},
        )
        for n in range(2000)
    ]
    bad = np.array([pair.category == "c3" for pair in pairs])
    a = np.where(bad, draw.random(2000) < 0.5, draw.random(2000) < 0.8)
    found = compare(a, draw.random(2000) < 0.8, pairs)
    assert [str(one.slice) for one in found.standing_out] == ["category=c3"]
    assert found.standing_out[0].known < 0
    slices = {str(f.slice) for f in found.findings if f.name == "accuracy_difference"}
    assert {"overall", "source.made_by=x", "source.made_by=y", "category=c0"} <= slices
    # Every pair prefers the longer answer ("yes"), so that is no part of the data.
    assert not any(name.startswith("preferred") for name in slices)


def test_seeds_that_differ_widen_the_interval_and_hide_a_difference() -> None:
    """Each side three seeds of .6, .8 and 1: 2 points of difference are nothing beside 10 from seed to seed."""
    pairs = pairs_of(500)
    groups = [str(p.prompt) for p in pairs]
    place = np.arange(500)
    seeds_a = {seed: right(pairs, (place + 7 * seed) % 100 < most) for seed, most in enumerate((64, 82, 100))}
    seeds_b = {seed: right(pairs, (place + 7 * seed) % 100 < most) for seed, most in enumerate((60, 80, 100))}
    found = compared(seeds_a, seeds_b, pairs, groups, config=CONFIG)
    one = found.find("accuracy_difference")
    assert one.known == pytest.approx(0.02)
    assert "seeds" in one.bounds.method
    # Two sides' variances .0337 and .04 over 3 seeds each, so the error is at least sqrt(.0733 / 3) / ...
    assert one.bounds.high - one.bounds.low > 2 * math.sqrt(0.0733 / 3)
    assert found.decision.verdict == "undecided"
    assert "train more seeds" in found.decision.reason
    alone = compared({0: seeds_a[0]}, {0: seeds_b[0]}, pairs, groups, config=CONFIG).find("accuracy_difference")
    assert alone.bounds.high - alone.bounds.low < 0.1


def test_a_reward_that_is_not_finite_is_wrong_and_no_preference() -> None:
    pairs = pairs_of(4)
    a = [PairScore(pair_id=p.id, chosen=math.nan if n == 0 else 1.0, rejected=0.0) for n, p in enumerate(pairs)]
    found = compared({0: a}, {0: right(pairs, [1] * 4)}, pairs, [str(p.prompt) for p in pairs], config=CONFIG)
    assert found.find("accuracy_of_a").known == pytest.approx(0.75)
    assert found.find("same_preference").n == 3
    assert [row["pair_id"] for row in found.differences] == []


def test_the_pairs_listed_first_are_those_with_other_preferences_then_the_widest_apart() -> None:
    pairs = pairs_of(4)
    groups = [str(p.prompt) for p in pairs]
    a = [PairScore(pair_id=p.id, chosen=m, rejected=0.0) for p, m in zip(pairs, (3.0, 1.0, 2.0, -1.0), strict=True)]
    b = [PairScore(pair_id=p.id, chosen=m, rejected=0.0) for p, m in zip(pairs, (0.5, -1.0, -2.0, -1.0), strict=True)]
    rows = compared({0: a}, {0: b}, pairs, groups, config=CONFIG).differences
    assert [(row["pair_id"], row["prefer_other"]) for row in rows[:3]] == [("p2", True), ("p1", True), ("p0", False)]
    # Root mean squares: sqrt(15 / 4) and sqrt(6.25 / 4).
    assert rows[0]["apart"] == pytest.approx(2 / math.sqrt(15 / 4) + 2 / math.sqrt(6.25 / 4))


def test_pairs_that_nobody_labelled_are_listed_and_not_counted() -> None:
    pairs = [*pairs_of(3), Pair(id="tied", prompt="q9", chosen="yes", rejected="no", label="tie")]
    found = compare([1, 1, 1, 1], [1, 1, 1, 0], pairs)
    assert (found.pairs, found.ties) == (3, 1)
    assert found.differences[0]["pair_id"] == "tied"
    assert found.differences[0]["label"] == "tie"


def made(mean: float, variance: float, n: int, **more) -> Difference:
    from assay.stats.intervals import Interval

    return Difference(
        mean=mean, n=n, groups=n, interval=Interval(low=mean - 0.1, high=mean + 0.1, level=0.95, method="made"),
        p=0.5, a_only=1, b_only=1, pair_variance=variance, seed_variance=more.get("seeds", 0.0),
    )  # fmt: skip


def test_more_pairs_by_hand() -> None:
    """(1.960 + .842)^2 x .25 / .05^2 = 784.9, of which 200 are at hand."""
    assert more_pairs(made(0.05, 0.25, 200), 0.95) == (585, "")
    assert more_pairs(made(0.0, 0.25, 200), 0.95)[0] is None
    # (.05 / 2.8016)^2 = .0003185; seeds take .0001 of it: .25 / .0002185 = 1,144.1
    assert more_pairs(made(0.05, 0.25, 200, seeds=0.0001), 0.95)[0] == 1145 - 200
    assert decide(made(0.05, 0.25, 200), level=0.95).sentence == "undecided, 585 more pairs"


def test_where_both_are_right_alike_no_difference_is_said_to_be_seen() -> None:
    assert decide(made(0.0, 0.25, 200), level=0.95).smallest_seen == pytest.approx(
        2.8138 * math.sqrt(0.25 / 200), rel=0.01
    )
    assert decide(made(0.0, 0.0, 200), level=0.95).smallest_seen is None


def simulated(draw: np.random.Generator, prompts: int, per: int, p_a: float, p_b: float, shared: float):
    """Correctness of two scorers on the same pairs: `shared` of the pairs both find alike, prompts differ in ease."""
    ease = draw.normal(0, 0.1, prompts).repeat(per)
    n = prompts * per
    luck = draw.random(n)
    alike = draw.random(n) < shared
    one, other = np.where(alike, luck, draw.random(n)), np.where(alike, luck, draw.random(n))
    return one < np.clip(p_a + ease, 0, 1), other < np.clip(p_b + ease, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("prompts", "per"), [(200, 1), (100, 4), (50, 10)])
def test_the_interval_covers_and_equal_scorers_are_rarely_called_different(prompts: int, per: int) -> None:
    draw = np.random.default_rng([prompts, per])
    pairs = pairs_of(prompts * per, per)
    groups = [str(p.prompt) for p in pairs]
    draws, covered, decided = 400, 0, 0
    for _ in range(draws):
        a, b = simulated(draw, prompts, per, 0.75, 0.75, 0.5)
        found = compared({0: right(pairs, a)}, {0: right(pairs, b)}, pairs, groups, config=CONFIG)
        bounds = found.find("accuracy_difference").bounds
        covered += bounds.low <= 0 <= bounds.high
        decided += found.decision.verdict != "undecided"
    assert 0.925 <= covered / draws <= 0.98
    assert decided / draws <= 0.075


@pytest.mark.slow
def test_as_many_pairs_as_said_decide_in_four_of_five() -> None:
    """The number is worked out at the true difference: what is drawn is the second sample."""
    draw = np.random.default_rng(5)
    variance = np.var(
        [np.subtract(*map(np.asarray, simulated(draw, 4000, 1, 0.78, 0.72, 0.5)), dtype=float) for _ in range(5)]
    )
    needed, _ = more_pairs(made(0.06, float(variance), 1), 0.95)
    pairs = pairs_of(needed)
    groups = [p.id for p in pairs]
    decided = 0
    for _ in range(200):
        a, b = simulated(draw, needed, 1, 0.78, 0.72, 0.5)
        found = compared({0: right(pairs, a)}, {0: right(pairs, b)}, pairs, groups, config=CONFIG)
        decided += found.decision.verdict == "A"
    assert 0.72 <= decided / 200 <= 0.88


def test_every_option_is_read() -> None:
    draw = np.random.default_rng(2)
    pairs = pairs_of(300)
    a, b = draw.random(300) < 0.8, draw.random(300) < 0.7
    default = compare(a, b, pairs, CompareConfig())
    narrow = compare(a, b, pairs, CompareConfig(level=0.8))
    assert narrow.find("accuracy_difference").bounds.high < default.find("accuracy_difference").bounds.high
    assert len(compare(a, b, pairs, CompareConfig(differences=3)).differences) == 3
    ps = {
        compare(a[:80], b[:80], pairs[:80], CompareConfig(seed=s)).find("accuracy_difference").detail["p"]
        for s in range(3)
    }
    assert len(ps) > 1
    few = [
        Pair(id=p.id, prompt=p.prompt, chosen="yes", rejected="no", category="ab"[n < 5]) for n, p in enumerate(pairs)
    ]
    for smallest, there in ((5, True), (6, False)):
        found = compare(a, b, few, CompareConfig(smallest_slice=smallest))
        assert (found.find("accuracy_difference", "category=b") is not None) == there


def test_sign_flips_of_uneven_clusters_by_enumeration() -> None:
    from assay.stats.paired_tests import sign_flip

    sums = [3.0, -1.0, 2.0, 0.0, 1 / 3]
    signs = itertools.product((1, -1), repeat=5)
    as_uneven = [abs(sum(s * v for s, v in zip(sign, sums, strict=True))) >= abs(sum(sums)) - 1e-9 for sign in signs]
    assert sign_flip(sums) == pytest.approx(np.mean(as_uneven))
    assert sign_flip([1] * 20 + [-1] * 8) == pytest.approx(mcnemar_exact(20, 8), abs=0.005)  # drawn
    assert sign_flip([1] * 126 + [-1] * 94) == pytest.approx(mcnemar_exact(126, 94), abs=0.001)  # normal
    assert sign_flip([0.0, 0.0]) == 1.0
