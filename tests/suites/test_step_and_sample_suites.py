"""ProcessBench's steps and PPE's 32 answers: right values by hand, and against drawing."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigError, InputError
from assay.suites.ppe_correctness import auc, best_of_k
from tests.suites.made_suites import figures, solution, suite_of


def sampled(n: int, right: list[bool], **more: object) -> dict[str, object]:
    return {
        "question_id": f"q{n}", "prompt": f"p{n}", "scores": right, "mean_score": sum(right) / len(right),
        **{f"response_{place}": f"answer {place}" for place in range(1, len(right) + 1)}, **more,
    }  # fmt: skip


def test_the_curve_is_what_drawing_every_subset_gives() -> None:
    rewards, right = np.array([3.0, 1.0, 3.0, 2.0, 0.0]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    curve = best_of_k(rewards, right)
    for k in range(1, 6):
        worth = []
        for places in combinations(range(5), k):
            best = max(rewards[list(places)])
            worth.append(np.mean([right[i] for i in places if rewards[i] == best]))
        assert curve[k - 1] == pytest.approx(float(np.mean(worth)), abs=1e-12)


def test_ppe_correctness_by_hand(tmp_path: Path) -> None:
    rows = [sampled(1, [True, False, False], sampled_conflict_pairs=[[0, 1], [2, 0]]), sampled(2, [True, True, False])]
    suite = suite_of("ppe-correctness", rows, tmp_path, file="PPE-MATH-Best-of-K.jsonl")
    found = figures(suite, {"q1": (2, 3, 1), "q2": (1, 3, 2)})
    # q1: right one over the second, not; over the third, yes. q2, without sampled pairs: both: 1 < 2 no, 3 > 2 yes.
    assert (found["math: pairs"].value, found["math: pairs"].n) == (0.5, 4)
    assert found["math: AUC"].value == pytest.approx((0.5 + 0.5) / 2)
    assert found["math: end"].value == 0.5  # the highest reward of all: wrong in q1, right in q2
    # best of 1: 1/3 and 2/3. best of 2: q1 right only of {1st, 3rd}: 1/3; q2 of {2nd, any}: 2/3. best of 3: 0 and 1.
    assert found["math: highest"].value == pytest.approx(0.5)
    # The oracle of q1: 1/3, 2/3, 1; of q2: 2/3, 1, 1.
    loss_1 = ((1 / 3 - 1 / 3) + (2 / 3 - 1 / 3) + (1 - 0)) / 3
    loss_2 = ((2 / 3 - 2 / 3) + (1 - 2 / 3) + (1 - 1)) / 3
    assert found["math: loss"].value == pytest.approx((loss_1 + loss_2) / 2)
    assert found["math: loss"].verdict is None
    with pytest.raises(InputError, match=r"\[1, 2\], two answers that are right or wrong alike"):
        suite_of("ppe-correctness", [sampled(1, [True, False, False], sampled_conflict_pairs=[[1, 2]])], tmp_path)


def test_auc_counts_equal_rewards_half() -> None:
    assert auc(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])) == pytest.approx(0.75)


def test_processbench_is_f1_of_exact_first_errors(tmp_path: Path) -> None:
    labels = {"gsm8k-0": (3, 1), "gsm8k-1": (3, 2), "gsm8k-2": (2, -1), "gsm8k-3": (2, -1)}
    labels |= {"math-0": (2, 0), "math-1": (2, -1)}
    rows = [solution(name, steps, label) for name, (steps, label) in labels.items()]
    suite = suite_of("processbench", rows, tmp_path, threshold=0.5)
    assert suite.groups[0].answers == ("step 0", "step 0\n\nstep 1", "step 0\n\nstep 1\n\nstep 2")
    rewards = {
        "gsm8k-0": (0.9, 0.1, 0.0),  # first below at 1: right
        "gsm8k-1": (0.9, 0.1, 0.0),  # at 1, and the error is at 2: wrong
        "gsm8k-2": (0.9, 0.5),  # nothing below 0.5: right
        "gsm8k-3": (0.9, 0.9),
        "math-0": (0.9, 0.1),
        "math-1": (0.9, 0.1),
    }
    found = figures(suite, rewards)
    assert (found["gsm8k: wrong"].value, found["gsm8k: right"].value) == (0.5, 1)
    assert found["gsm8k: F1"].value == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert found["math: F1"].value == 0
    assert found["mean F1"].value == pytest.approx(1 / 3)


def test_the_threshold_is_the_best_on_gsm8k(tmp_path: Path) -> None:
    rows = [solution("gsm8k-0", 3, 1), solution("gsm8k-1", 3, -1), solution("math-0", 2, -1)]
    suite = suite_of("processbench", rows, tmp_path)
    found = figures(suite, {"gsm8k-0": (5, -2, -3), "gsm8k-1": (4, 1, 3), "math-0": (math.nan, 9)})
    # Found at 1 and not before: -2 < t <= 5; nothing found in the other: t <= 1. Halfway between -2 and 1.
    assert found["threshold"].value == pytest.approx(-0.5)
    assert found["gsm8k: F1"].value == 1
    assert found["math: right"].value == 0  # a reward that is no number is below every threshold
    with pytest.raises(ConfigError, match=r"--threshold 0\.5"):
        suite_of("processbench", rows[2:], tmp_path / "other")
    with pytest.raises(InputError, match="label 3 for 3 steps"):
        suite_of("processbench", [solution("gsm8k-0", 3, 3)], tmp_path)
