"""Groups of candidates: top-1, recovery, order and ties against brute force, by hand, and on planted rewards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from assay.audits.candidates import picking
from assay.audits.candidates.group_findings import _table, group_findings
from assay.audits.candidates.group_scores import SameSize, gold_of, group_scores
from assay.audits.candidates.picking import kendall, picked, spearman, tied_parts, top1
from assay.audits.config import AuditConfig
from assay.audits.scored_group import ScoredGroup
from assay.findings.family import judged_together
from assay.findings.finding import Finding
from assay.records import Candidates, Comparison

CONFIG = AuditConfig(resamples=300)


def group(n: int, scores, *rewards, **more) -> ScoredGroup:
    answers = more.pop("answers", tuple("x" * (k + 1) for k in range(len(rewards[0]))))
    one = Candidates(id=f"g{n}", prompt=f"q{n}", answers=answers, scores=scores, **more)
    return ScoredGroup(candidates=one, rewards=dict(enumerate(rewards)), cluster=f"q{n}")


def figures(groups: list[ScoredGroup]) -> dict[str, Finding]:
    found = judged_together(list(group_findings(group_scores(groups), CONFIG)), level=0.95)
    return {one.name: one for one in found}


def test_two_groups_by_hand() -> None:
    """Group 1: gold 0, 1, 2, the reward picks the 1. Group 2: gold 3, 3, 0, 0, the reward ties both of 3.

    Top-1 (0 + 1) / 2; chance (1/3 + 2/4) / 2; recovery (1 - 1 + 3 - 1.5) / (2 - 1 + 3 - 1.5) = 1.5 / 2.5.
    """
    found = figures([group(1, (0.0, 1.0, 2.0), (0.0, 9.0, 5.0)), group(2, (3.0, 3.0, 0.0, 0.0), (7.0, 7.0, 1.0, 2.0))])
    assert found["top1"].known == pytest.approx(0.5)
    assert found["top1"].detail["chance"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert found["top1_beyond_chance"].known == pytest.approx(0.5 - (1 / 3 + 1 / 2) / 2)
    assert found["recovery"].known == pytest.approx(0.6)
    # Longest (the last answer): right in group 1, wrong in 2; shortest (the first): wrong, then right.
    assert (found["top1"].detail["longest"], found["top1"].detail["shortest"]) == (0.5, 0.5)
    assert found["group_ties"].known == 0.0  # the tied pair is one that people tie too
    # tau: (2 - 1) / 3 in group 1; in 2 all four ordered pairs agree, five rewards differ: 4 / sqrt(5 x 4)
    assert found["rank_correlation"].known == pytest.approx((1 / 3 + 4 / math.sqrt(20)) / 2)


def test_order_within_a_group_is_scipys() -> None:
    draw = np.random.default_rng(0)
    reward = draw.integers(0, 4, size=(2, 60, 5)).astype(float)
    gold = draw.integers(0, 3, size=(60, 5)).astype(float)
    gold[:, 0] += 10  # no group without an order
    for seed in range(2):
        for n in range(60):
            if np.ptp(reward[seed, n]) == 0:
                assert kendall(reward, gold)[seed, n] == spearman(reward, gold)[seed, n] == 0.0
                continue
            tau = scipy_stats.kendalltau(reward[seed, n], gold[n]).statistic
            assert kendall(reward, gold)[seed, n] == pytest.approx(tau)
            assert spearman(reward, gold)[seed, n] == pytest.approx(scipy_stats.spearmanr(reward[seed, n], gold[n])[0])


def test_picking_and_recovery_by_brute_force() -> None:
    """Every answer that could be the pick, each with its chance, one group at a time."""
    draw = np.random.default_rng(1)
    groups = []
    hits, gained, most, blind = [], [], [], []
    for n in range(80):
        size = int(draw.integers(2, 7))
        gold = draw.integers(0, 3, size=size).astype(float)
        if np.ptp(gold) == 0:
            gold[0] += 1
        seeds = [tuple(map(float, draw.integers(0, 3, size=size))) for _ in range(2)]
        groups.append(group(n, tuple(map(float, gold)), *seeds))
        best, of_seed, gold_of_seed = max(gold), [], []
        for rewards in seeds:
            tops = [k for k in range(size) if rewards[k] == max(rewards)]
            of_seed.append(sum(gold[k] == best for k in tops) / len(tops))
            gold_of_seed.append(sum(gold[k] for k in tops) / len(tops))
        hits.append(np.mean(of_seed))
        gained.append(np.mean(gold_of_seed) - gold.mean())
        most.append(best - gold.mean())
        blind.append(np.mean(gold == best))
    found = figures(groups)
    assert found["top1"].known == pytest.approx(np.mean(hits))
    assert found["recovery"].known == pytest.approx(np.sum(gained) / np.sum(most))
    assert found["top1_beyond_chance"].known == pytest.approx(np.mean(hits) - np.mean(blind))
    table = _table(group_scores(groups))
    assert sum(row["groups"] for row in table["sizes"]) == 80
    assert [row["size"] for row in table["sizes"]] == sorted({len(g.candidates.answers) for g in groups})


def test_a_perfect_a_blind_a_turned_and_a_broken_reward() -> None:
    draw = np.random.default_rng(2)
    golds = [tuple(map(float, draw.permutation(4))) for _ in range(300)]
    perfect = figures([group(n, gold, gold) for n, gold in enumerate(golds)])
    assert [perfect[name].known for name in ("top1", "recovery", "rank_correlation")] == [1.0, 1.0, 1.0]
    turned = figures([group(n, gold, [-g for g in gold]) for n, gold in enumerate(golds)])
    assert turned["recovery"].known == pytest.approx(-1.0)
    assert turned["top1_beyond_chance"].verdict == "problem"
    blind = figures([group(n, gold, (1.0, 1.0, 1.0, 1.0)) for n, gold in enumerate(golds)])
    assert blind["top1"].known == pytest.approx(0.25)
    assert (blind["recovery"].known, blind["rank_correlation"].known, blind["group_ties"].known) == (0.0, 0.0, 1.0)
    broken = figures([group(n, gold, [math.nan] * 4) for n, gold in enumerate(golds)])
    assert (broken["top1"].known, broken["recovery"].known) == (0.0, pytest.approx(-1.0))


def test_few_groups_are_too_few_for_an_all_clear_unless_they_rule_a_shortfall_out() -> None:
    draw = np.random.default_rng(4)
    golds = [tuple(map(float, draw.permutation(4))) for _ in range(60)]
    random = figures([group(n, gold, tuple(draw.normal(size=4))) for n, gold in enumerate(golds)])
    assert random["top1_beyond_chance"].verdict == "too_few"
    good = figures([group(n, gold, np.add(gold, draw.normal(0, 0.5, 4))) for n, gold in enumerate(golds)])
    assert good["top1_beyond_chance"].verdict == "ok"


def test_a_reward_that_is_not_finite_is_never_the_pick() -> None:
    reward = np.array([[-math.inf, 1.0, -math.inf]])
    assert picked(reward, np.array([[9.0, 2.0, 5.0]])).tolist() == [2.0]
    assert top1(reward, np.array([[9.0, 2.0, 5.0]])).tolist() == [0.0]


def test_what_people_said_is_read_from_scores_ranks_or_votes() -> None:
    """Votes: 0 beats 1, 0 ties 2, 1 against 2 abstained: 0 won 1.5 of 2, 1 none of 1, 2 half of 1."""
    votes = (
        Comparison(first=0, second=1, choice="first"),
        Comparison(first=2, second=0, choice="tie"),
        Comparison(first=1, second=2, choice="abstain"),
    )
    one = Candidates(id="g", prompt="q", answers=("a", "b", "c", "d"), votes=votes)
    assert gold_of(one) == ("votes", [0.75, 0.0, 0.5, None])
    ranked = Candidates(id="g", prompt="q", answers=("a", "b"), ranks=(2.0, 1.0))
    assert gold_of(ranked) == ("ranks", [-2.0, -1.0])


def test_groups_that_cannot_be_judged_are_counted_with_the_reason() -> None:
    found = group_scores(
        [
            group(1, (1.0, 1.0), (0.0, 1.0)),
            group(2, (1.0, None), (0.0, 1.0)),
            group(3, (1.0, 2.0), (0.0, None)),
            group(4, (1.0, None, 2.0), (0.0, None, 1.0)),  # of the answer nobody took nothing is known either
        ]
    )
    assert found.groups == 1
    assert sum(found.set_aside.values()) == 3
    nothing = figures([group(1, (1.0, 1.0), (0.0, 1.0))])
    assert "equally good" in nothing["recovery"].reason


@pytest.mark.slow
def test_the_interval_of_recovery_covers_and_clean_rewards_raise_nothing() -> None:
    """A reward of gold plus noise: what it recovers of a very large sample is the truth."""
    draw = np.random.default_rng(3)

    def sample(count: int) -> list[ScoredGroup]:
        gold = draw.normal(size=(count, 4))
        reward = gold + draw.normal(0, 1.5, size=(count, 4))
        return [
            group(n, tuple(map(float, g)), tuple(map(float, r)))
            for n, (g, r) in enumerate(zip(gold, reward, strict=True))
        ]

    truth = figures(sample(40_000))["recovery"].known
    covered = alarms = 0
    for _ in range(300):
        found = figures(sample(150))
        covered += found["recovery"].bounds.low <= truth <= found["recovery"].bounds.high
        alarms += any(one.verdict in ("warning", "problem") for one in found.values())
    assert 0.92 <= covered / 300 <= 0.98
    assert alarms / 300 <= 0.05


def test_ties_and_order_of_large_groups_are_those_counted_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(5)
    reward = draw.integers(0, 6, size=(2, 7, 40)).astype(float)
    reward[0, 0, :3] = -math.inf
    gold = draw.integers(0, 5, size=(7, 40)).astype(float)
    same = SameSize(reward=reward, gold=gold, length=gold, cluster=np.arange(7))
    first, second = np.triu_indices(40, 1)
    ordered = gold[:, first] != gold[:, second]
    tied = (reward[..., first] == reward[..., second]) & ordered
    assert tied_parts(same).tolist() == np.column_stack([tied.sum(-1).mean(0), ordered.sum(-1)]).tolist()
    whole = kendall(reward, gold)
    monkeypatch.setattr(picking, "MANY_PAIRS", 5000)
    assert kendall(reward, gold).tolist() == whole.tolist()
