"""What stands beside a figure: baselines, chance, multiplicity, and intervals that know about prompts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigError, EmptyBatchError, InputError
from assay.questions.task import Answered
from assay.stats.intervals import Interval, cluster_t
from assay.stats.jackknife import cluster_jackknife
from assay.stats.unknown import Unknown
from assay.suites import open_suite, standings
from tests.suites.made_suites import pair, suite_of


def test_one_part_ahead_by_luck_among_many_is_no_news(tmp_path: Path) -> None:
    """Six of six right has p = 1/32 by itself, which is under 5%; over 23 subsets it says nothing."""
    subsets = [f"subset {n}" for n in range(23)]
    rows = [pair(100 * place + n, subset) for place, subset in enumerate(subsets) for n in range(6)]
    suite = suite_of("rewardbench", rows, tmp_path)
    answered: list[Answered] = [
        (1.0, 0.0) if group.category == "subset 0" or int(group.id) % 2 else (0.0, 1.0) for group in suite.groups
    ]
    found = {one.name: one for one in standings(suite, answered, {})}
    assert found["subset 0"].value == 1
    assert found["subset 0"].p == pytest.approx(2 / 2**6)
    assert found["subset 0"].verdict == "not_told_apart"
    alone = suite_of("rewardbench", rows[:6], tmp_path / "alone")
    (one,) = standings(alone, answered[:6], {})
    assert one.verdict == "ahead"


def test_a_scorer_is_held_against_the_best_of_the_rules_item_by_item(tmp_path: Path) -> None:
    suite = suite_of("rewardbench", [pair(n, "x") for n in range(40)], tmp_path)
    own: list[Answered] = [(1.0, 0.0) if n < 30 else (0.0, 1.0) for n in range(40)]
    better: list[Answered] = [(1.0, 0.0) if n < 38 else (0.0, 1.0) for n in range(40)]
    worse: list[Answered] = [(0.0, 1.0)] * 40
    (one,) = standings(suite, own, {"baseline:longest": worse, "baseline:shortest": better})
    assert (one.value, one.rule, one.ahead) == (0.75, "baseline:shortest", pytest.approx(-0.2))
    assert one.others == {"baseline:longest": 0, "baseline:shortest": 0.95, "chance": 0.5}
    assert one.verdict == "behind"


def test_a_baseline_is_held_against_the_items_that_were_scored(tmp_path: Path) -> None:
    suite = suite_of("rewardbench", [pair(n, "x") for n in range(4)], tmp_path)
    own: list[Answered] = [(1.0, 0.0), (1.0, 0.0), (Unknown("too long"), 0.0), (Unknown("too long"), 0.0)]
    rule: list[Answered] = [(1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 0.0)]
    (one,) = standings(suite, own, {"baseline:longest": rule})
    assert (one.n, one.unscored, one.others["baseline:longest"]) == (2, 2, 0.5)


def test_nothing_scored_is_unknown_and_never_zero(tmp_path: Path) -> None:
    suite = suite_of("rewardbench", [pair(n, "alpacaeval-easy") for n in range(3)], tmp_path)
    found = {one.name: one for one in standings(suite, [(Unknown("too long"), 1.0)] * 3, {})}
    assert found["alpacaeval-easy"].value == Unknown("none of 3 items has a reward for every answer")
    assert isinstance(found["Chat"].value, Unknown)
    assert (found["Chat"].n, found["Chat"].unscored) == (0, 3)


def test_prompts_that_stand_several_times_widen_the_interval(tmp_path: Path) -> None:
    def half(prompts: int) -> float:
        rows = [pair(n, "hep-go", prompt=f"p{n % prompts}") for n in range(60)]
        suite = suite_of("rewardbench", rows, tmp_path / str(prompts))
        answered: list[Answered] = [(1.0, 0.0) if n % 6 < 4 else (0.0, 1.0) for n in range(60)]
        found = {one.name: one for one in standings(suite, answered, {})}
        spans = [found[name].interval for name in ("hep-go", "Reasoning")]
        assert all(isinstance(span, Interval) for span in spans)
        return min(span.high - span.low for span in spans if isinstance(span, Interval))

    assert half(6) > 1.8 * half(60)


def test_the_jackknife_of_a_mean_is_the_t_interval() -> None:
    draw = np.random.default_rng(0)
    values, clusters = draw.random(40), [str(n // 2) for n in range(40)]
    sums = np.column_stack([values, np.ones(40)])
    found, known = cluster_jackknife(sums, clusters, lambda s: s[:, 0] / s[:, 1]), cluster_t(values, clusters)
    assert isinstance(found, Interval)
    assert isinstance(known, Interval)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), rel=1e-3)
    assert isinstance(cluster_jackknife([(1, 1)] * 9, list("abcdefghi"), lambda s: s[:, 0] / s[:, 1]), Unknown)


@pytest.mark.slow
def test_intervals_of_weighted_means_and_f1_cover() -> None:
    """400 draws of 60 prompts of two pairs, two subsets of unequal weight: 93 to 97% within Monte Carlo error."""
    draw, hits = np.random.default_rng(1), {"weighted": 0, "f1": 0}
    truth = np.array([0.8, 0.6])
    for _ in range(400):
        prompt = np.repeat(np.arange(60), 2)
        subset, logit = prompt % 2, np.repeat(draw.normal(0, 0.07, 60), 2)
        right = draw.random(120) < truth[subset] + logit
        sums = np.zeros((120, 4))
        sums[np.arange(120), 2 * subset], sums[np.arange(120), 2 * subset + 1] = right, 1

        def means(s: np.ndarray) -> np.ndarray:
            return s[:, ::2] / s[:, 1::2]

        for name, of in (
            ("weighted", lambda s: means(s) @ np.array([0.25, 0.75])),
            ("f1", lambda s: 2 * means(s).prod(axis=1) / means(s).sum(axis=1)),
        ):
            true = float(of(np.array([[0.8, 1.0, 0.6, 1.0]]))[0])
            found = cluster_jackknife(sums, prompt.astype(str), of)
            hits[name] += isinstance(found, Interval) and found.low <= true <= found.high
    assert all(0.92 <= count / 400 <= 0.98 for count in hits.values()), hits


def test_what_is_no_suite_and_no_row_of_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rewardbench3: no such suite\. There are rewardbench, rewardbench2"):
        open_suite("rewardbench3", ["x"])
    with pytest.raises(ConfigError, match="rmb has no steps"):
        open_suite("rmb", ["x"], threshold=0.5)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(EmptyBatchError, match="no item of rmb"):
        open_suite("rmb", [str(tmp_path / "empty.jsonl")])
    (tmp_path / "torn.jsonl").write_text('{"prompt": "p", "chosen": \n')
    with pytest.raises(InputError, match="A suite is scored whole"):
        open_suite("rewardbench", [str(tmp_path / "torn.jsonl")])
    with pytest.raises(InputError, match=r"the item 'x:1' stands at .*:1 already"):
        suite_of("rewardbench", [pair(1, "x"), pair(1, "x")], tmp_path)
    both = suite_of("rewardbench", [pair(1, "x"), pair(1, "y")], tmp_path)
    assert [group.id for group in both.groups] == ["x:1", "y:1"]
