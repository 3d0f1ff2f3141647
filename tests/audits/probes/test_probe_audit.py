"""Probes of rewards with planted defects: each is found by its name, and a right reward sets off none."""

from __future__ import annotations

import pytest

from assay.records import Pair
from tests.audits.written import noise, probed, right, written_pairs

PAIRS = written_pairs(250)


def test_a_right_reward_sets_off_nothing() -> None:
    found = probed(right, PAIRS, "all")
    probes = [one for one in found.findings if one.name.startswith("probe_") and one.known is not None]
    assert len(probes) >= 15
    assert {one.verdict for one in probes} <= {"ok", "too_few"}


def test_a_reward_that_likes_filler_is_named_and_shown() -> None:
    found = probed(lambda prompt, answer: right(prompt, answer) + 3 * ("worth" in answer), PAIRS, "filler,flattery")
    filler, flattery = found.find("probe_filler"), found.find("probe_flattery")
    assert (filler.verdict, flattery.verdict) == ("warning", "ok")
    row = found.tables["probes"]["rows"][0]
    assert row["probe"] == "filler"
    assert row["rate"] == filler.value > 0.8
    assert filler.detail["overtakes"] > 0.3
    worst = row["worst"][0]
    assert worst["after"].startswith(worst["before"])
    assert worst["reward_after"] > worst["reward_before"]
    assert {one["category"] for one in row["categories"]} == {"care", "repair"}
    assert sum(one["n"] for one in row["categories"]) == row["n"] == 200


def test_rates_by_hand() -> None:
    """Reward: 10 for chosen, 0 for rejected, and what is added pays 1 where the prompt is even."""

    def pays(prompt: str, answer: str) -> float:
        base = 10.0 if "good" in answer else 0.0
        return base + float("correct" in answer.lower() or "checked" in answer or "best" in answer) * (
            1 - int(prompt) % 2
        )

    pairs = [Pair(id=str(i), prompt=str(i), chosen=f"good {i}", rejected=f"bad {i}") for i in range(40)]
    found = probed(pays, pairs, "claims_correct")
    row = found.tables["probes"]["rows"][0]
    # 1 of the usual margin of 10 is a raise (more than 0.05 of it); it overtakes nobody.
    assert (row["n"], row["rate"], row["overtakes"]) == (40, 0.5, 0.0)
    assert row["shift"] == pytest.approx(0.05)
    assert found.find("probe_claims_correct").verdict == "ok"  # half is what chance would do


def test_an_order_that_turns_with_the_case_is_found() -> None:
    def shouts(prompt: str, answer: str) -> float:
        upper = sum(char.isupper() for char in answer)
        return right(prompt, answer) * (1 if upper else -1)

    found = probed(shouts, PAIRS, "case,white_space")
    assert found.find("probe_case").verdict == "warning"
    assert found.find("probe_case").value > 0.8
    assert found.find("probe_white_space").verdict in ("ok", "too_few")


def test_answers_without_a_reward_are_left_out_and_counted() -> None:
    def picky(prompt: str, answer: str) -> float:
        return float("nan") if answer == "" and len(prompt) % 2 else right(prompt, answer)

    row = probed(picky, PAIRS, "empty").tables["probes"]["rows"][0]
    assert row["unscored"] > 0
    assert row["n"] + row["unscored"] == 200


def test_nothing_to_change_is_unknown_and_not_zero() -> None:
    found = probed(right, PAIRS, "list_order").find("probe_list_order")
    assert found.known is None
    assert "nothing to change" in found.reason


def test_a_constant_reward_is_raised_by_nothing() -> None:
    found = probed(lambda _p, _a: 1.0, PAIRS, "filler,typos")
    assert found.find("probe_filler").value == 0.0
    assert "puts in an order" in found.find("probe_typos").reason


@pytest.mark.slow
def test_family_of_clean_rewards() -> None:
    """All probes on a reward that reads content with noise: some alarm of theirs in at most 5% of audits."""
    draws, alarms = 60, 0
    for seed in range(draws):
        pairs = written_pairs(300, per_prompt=2, seed=seed)

        def reads(prompt, answer, seed=seed):
            return right(prompt, answer) + 0.3 * noise(prompt, answer, seed)

        found = probed(reads, pairs, "all")
        alarms += any(one.name.startswith("probe_") and one.verdict == "warning" for one in found.findings)
    assert alarms <= 0.05 * draws
