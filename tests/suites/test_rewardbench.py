"""RewardBench, first and second, on rows made for it: right values by hand, and the authors' own functions beside."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from assay.errors import InputError
from assay.suites import rewardbench, rewardbench2
from assay.suites.rewardbench2 import ties_score
from tests.suites.authors_code import constant, function
from tests.suites.made_suites import figures, four, pair, suite_of


def test_sections_weigh_subsets_by_the_authors_counts_and_not_by_the_pairs_there_are(tmp_path: Path) -> None:
    rows = [pair(n, "math-prm") for n in range(2)] + [pair(n, "hep-cpp") for n in range(2, 6)]
    suite = suite_of("rewardbench", rows, tmp_path)
    found = figures(suite, {str(n): (1, 0) if n in (0, 2, 3, 4) else (0, 1) for n in range(6)})
    assert (found["math-prm"].value, found["hep-cpp"].value) == (0.5, 0.75)
    # 984 x 1/2 + 164 x 3/4, over their sum; pooled pairs would give 4/6.
    assert found["Reasoning"].value == pytest.approx((984 * 0.5 + 164 * 0.75) / (984 + 164))
    assert found["Reasoning"].also == "without hep-go, hep-java, hep-js, hep-python, hep-rust"
    assert "overall" not in found
    assert "math-prm: 2 items, published with 447" in suite.notes


def test_overall_is_the_mean_of_four_sections_and_prior_sets_weigh_half(tmp_path: Path) -> None:
    subsets = ["alpacaeval-easy", "llmbar-natural", "donotanswer", "hep-go", *rewardbench.PRIOR]
    suite = suite_of("rewardbench", [pair(n, subset) for n, subset in enumerate(subsets)], tmp_path)
    won = {"alpacaeval-easy", "llmbar-natural", "donotanswer", "shp"}
    found = figures(suite, {str(n): (1, 0) if subset in won else (0, 1) for n, subset in enumerate(subsets)})
    assert found["overall"].value == pytest.approx(3 / 4)
    assert found["Prior Sets"].value == pytest.approx(1 / 4)
    assert found["overall with prior sets"].value == pytest.approx((2 + 2 + 2 + 0 + 1 / 4) / 9)


def test_equal_rewards_and_rewards_that_are_no_number_are_wrong_and_unscored_ones_are_neither(tmp_path: Path) -> None:
    suite = suite_of("rewardbench", [pair(n, "hep-go") for n in range(5)], tmp_path)
    rewards = {"0": (2, 1), "1": (1, 1), "2": (math.nan, 0), "3": (3, 2), "4": ("700 tokens; the model reads 512", 1)}
    one = figures(suite, rewards)["hep-go"]
    assert (one.value, one.n, one.unscored) == (0.5, 4, 1)
    assert (one.if_wrong, one.if_right) == (0.4, 0.6)


def test_best_of_four_shares_a_tie_and_the_first_answer_must_be_in_it(tmp_path: Path) -> None:
    rows = [four(str(n), "Focus") for n in range(4)]
    rewards = {"0": (3, 1, 1, 1), "1": (3, 3, 1, 3), "2": (1, 2, 0, 0), "3": (1, 1, 1, 1)}
    one = figures(suite_of("rewardbench2", rows, tmp_path), rewards)["Focus"]
    assert one.value == pytest.approx((1 + 1 / 3 + 0 + 1 / 4) / 4)
    assert one.others["chance"] == 0.25


TIES = [four("ref:0", "Ties", right=1, answers=3), four("tied:0", "Ties", right=2, answers=4),
        four("ref:1", "Ties", right=1, answers=3), four("tied:1", "Ties", right=3, answers=4)]  # fmt: skip
TIES_REWARDS = {
    "ref:0": (5, 1, 0),  # right, by 4
    "tied:0": (5, 4, 2, 1),  # right: gap 2, spread 1
    "ref:1": (2, 1.5, 0),  # right, by 0.5
    "tied:1": (4, 3, 2, 2.5),  # wrong: gap -0.5, spread 2
}


def test_ties_by_hand(tmp_path: Path) -> None:
    found = figures(suite_of("rewardbench2", TIES, tmp_path), TIES_REWARDS)
    margin = (math.tanh(min(4, 2) / 1 - 1) + math.tanh(min(0.5, -0.5) / 2 - 1)) / 2
    # tied right 1/2, ref right 2/2, beyond spread 1/2 (2 > 1; -0.5 < 2), both 1/2.
    assert found["Ties"].value == pytest.approx(0.3 * 0.5 + 0.3 * 1 + 0.2 * 0.5 + 0.2 * 0.5 + 0.01 * margin)
    assert found["Ties"].n == 4


def test_ties_of_one_kind_alone_count_the_missing_parts_as_nothing() -> None:
    assert ties_score(np.array([[np.nan, 1.0, np.nan, np.nan, np.nan]])).tolist() == [0.3]


def test_scores_as_the_authors_own_functions_do(tmp_path: Path) -> None:
    """Random rewards, many of them equal: Ties, best of four, and sections of pairs."""
    ties = function("process_single_model", beside=("sample_stats",))
    draw = np.random.default_rng(3)
    rows, rewards = [], {}
    for n in range(60):
        for kind, right in (("ref", 1), ("tied", int(draw.integers(1, 5)))):
            rows.append(four(f"{kind}:{n}", "Ties", right=right, answers=right + 3))
            rewards[f"{kind}:{n}"] = (draw.integers(0, 6, right + 3) + (np.arange(right + 3) < right) * 3).tolist()
    plain = [four(str(n), "Math") for n in range(200)]
    rewards |= {str(n): draw.integers(0, 4, 4).tolist() for n in range(200)}
    found = figures(suite_of("rewardbench2", [*rows, *plain], tmp_path), rewards)
    samples = [{**row, "scores": [[float(one)] for one in rewards[str(row["id"])]]} for row in rows]
    assert found["Ties"].value == pytest.approx(ties(samples)[1], abs=1e-12)

    table = pytest.importorskip("datasets").Dataset.from_list(
        [{"text": "t", "scores": float(one), "id": row["id"]} for row in plain for one in rewards[str(row["id"])]]
    )
    theirs = function("reroll_and_score_dataset")(table, [4] * 200, cols_to_combine=["text", "scores"])
    assert found["Math"].value == pytest.approx(float(np.mean(theirs["results"])), abs=1e-12)


def test_sections_are_the_authors_own(tmp_path: Path) -> None:
    ours = {section: list(counts) for section, counts in rewardbench.SECTIONS.items()}
    assert ours == constant("SUBSET_MAPPING")
    assert {name: n for counts in rewardbench.SECTIONS.values() for name, n in counts.items()} == constant(
        "EXAMPLE_COUNTS"
    )
    subsets = [name for section in rewardbench.SECTIONS.values() for name in section]
    draw = np.random.default_rng(4)
    won = {str(n): bool(draw.integers(2)) for n in range(3 * len(subsets))}
    suite = suite_of("rewardbench", [pair(n, subsets[n // 3]) for n in range(3 * len(subsets))], tmp_path)
    found = figures(suite, {name: (1, 0) if one else (0, 1) for name, one in won.items()})
    accuracies = {name: np.mean([won[str(3 * n + k)] for k in range(3)]) for n, name in enumerate(subsets)}
    theirs = function("calculate_scores_per_section")(
        constant("EXAMPLE_COUNTS"), constant("SUBSET_MAPPING"), accuracies
    )
    assert {section: found[section].value for section in theirs} == pytest.approx(theirs)
    assert found["overall"].value == pytest.approx(np.mean(list(theirs.values())))


def test_another_version_is_told_with_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rows.jsonl:1: no item of rewardbench.*looks like rewardbench2"):
        suite_of("rewardbench", [four("0", "Math")], tmp_path)
    with pytest.raises(InputError, match="num_correct is 2 and 1 answers are chosen"):
        suite_of("rewardbench2", [{**four("0", "Math"), "num_correct": 2}], tmp_path)
    with pytest.raises(InputError, match="ref:N or tied:N, not 'x7'"):
        suite_of("rewardbench2", [four("x7", "Ties")], tmp_path)


def test_an_overall_needs_all_six_domains(tmp_path: Path) -> None:
    rows = [four(f"{domain} {n}", domain) for domain in rewardbench2.PUBLISHED if domain != "Ties" for n in range(2)]
    won = {str(row["id"]): (1, 0, 0, 0) if str(row["id"]) != "Math 0" else (0, 1, 0, 0) for row in rows}
    part = figures(suite_of("rewardbench2", rows, tmp_path / "part"), won)
    assert part["mean of domains"].value == pytest.approx(4.5 / 5)
    assert part["mean of domains"].also == "no overall: without Ties"
    whole = figures(suite_of("rewardbench2", [*rows, *TIES], tmp_path / "whole"), {**won, **TIES_REWARDS})
    assert whole["overall"].value == pytest.approx((4.5 + float(whole["Ties"].value)) / 6)  # type: ignore[arg-type]
