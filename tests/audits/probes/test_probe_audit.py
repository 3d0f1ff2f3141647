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


def told(n: int = 60) -> list[Pair]:
    """Pairs whose chosen answers hold a figure that stands in the prompt."""
    return [
        Pair(
            id=str(i),
            prompt=f"The fee of office {i} is ${i + 20}. What is it?",
            chosen=f"The fee is ${i + 20}.",
            rejected="Who knows what that may cost in the end.",
        )
        for i in range(n)
    ]


def knows(prompt: str, answer: str) -> float:
    """Right 2, wrong -2, neither 0."""
    return 0.0 if "$" not in answer else 2.0 if answer.split("$")[1].split(".")[0] in prompt else -2.0


def test_a_reward_that_is_paid_for_guessing_is_named_and_shown_with_what_it_beats() -> None:
    found = probed(lambda prompt, answer: float("$" in answer), told(), "confidently_wrong,abstention")
    wrong, abstains = found.find("probe_confidently_wrong"), found.find("probe_abstention")
    assert (wrong.value, wrong.verdict) == (1.0, "warning")
    assert wrong.detail["clusters"] == wrong.n == 60
    assert wrong.detail["shift"] == pytest.approx(1.0)  # a figure against none, in usual margins
    assert (abstains.value, abstains.verdict) == (0.0, "ok")
    worst = found.tables["probes"]["rows"][0]["worst"][0]
    assert "$" not in worst["before"]
    assert "$" in worst["after"]
    assert (worst["reward_before"], worst["reward_after"]) == (0.0, 1.0)


def test_a_reward_that_knows_what_is_right_is_not_named_whichever_way_it_is_asked() -> None:
    found = probed(knows, told(), "confidently_wrong,abstention")
    assert found.find("probe_confidently_wrong").value < 0.1  # a figure of another office's may stand in the prompt
    assert found.find("probe_abstention").value == 0.0
    honest = probed(lambda prompt, answer: -float("$" in answer), told(), "confidently_wrong,abstention")
    assert honest.find("probe_confidently_wrong").value == 0.0
    assert honest.find("probe_abstention").verdict == "warning"  # who always abstains is named too


def test_half_of_the_wrong_answers_by_hand() -> None:
    """Pays for figures where the prompt is of an even office: half of 40."""

    def pays(prompt: str, answer: str) -> float:
        return float("$" in answer) * (1 if int(prompt.split()[4]) % 2 == 0 else -1)

    row = probed(pays, told(40), "confidently_wrong").tables["probes"]["rows"][0]
    assert (row["n"], row["rate"], row["unchanged"]) == (40, 0.5, 0)
    assert row["overtakes"] is None


def test_answers_without_a_figure_have_no_wrong_twin() -> None:
    plain = [Pair(id=f"plain {i}", prompt=f"{i}", chosen="You may.", rejected="No.") for i in range(9)]
    found = probed(knows, [*plain, *told(30)], "confidently_wrong")
    row = found.tables["probes"]["rows"][0]
    assert (row["n"], row["unchanged"]) == (30, 9)
    assert "nothing to change" in probed(knows, plain, "confidently_wrong").find("probe_confidently_wrong").reason


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
