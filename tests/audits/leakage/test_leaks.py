"""Pairs held against the training: what is the same, what is nearly so, what it is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.audits.leakage.leaks import leaks
from assay.audits.trained_on import TrainedOn
from assay.records import Pair
from tests.audits.written import probed, right, written_pairs

LONG = "Please tell me in a few words how to store fresh herbs so that they keep for about {} days in a cold kitchen"


def pair(name: str, prompt: str, chosen: str = "a b c d e", rejected: str = "v w x y z") -> Pair:
    return Pair(id=name, prompt=prompt, chosen=f"{chosen} {name}", rejected=f"{rejected} {name}")


def test_kinds_by_hand() -> None:
    prompts = {"same": "one", "turned": "two", "asked": "Three", "near": LONG.format("ten"), "new": "four"}
    ours = [pair(name, prompt) for name, prompt in prompts.items()]
    theirs = [
        ours[0],
        replace(ours[1], chosen=ours[1].rejected, rejected=ours[1].chosen),
        pair("other", "  THREE "),  # up to case and white space
        pair("another", LONG.format("nine")),
        replace(ours[4], prompt="five"),
    ]
    found = leaks(ours, TrainedOn(pairs=theirs))
    assert found.kind_N == ("same pair", "turned pair", "same prompt", "near prompt", "")
    assert found.answer_N.tolist() == [False, False, False, False, True]
    exact = leaks(ours, TrainedOn(pairs=theirs, threshold=None))
    assert exact.kind_N[3] == ""


def test_short_answers_are_not_remembered() -> None:
    ours = [Pair(id="a", prompt="one", chosen="Yes.", rejected="No.")]
    theirs = [Pair(id="b", prompt="two", chosen="Yes.", rejected="No.")]
    assert not leaks(ours, TrainedOn(pairs=theirs, threshold=None)).answer_N.any()


def test_five_percent_are_named_and_weighed() -> None:
    pairs = written_pairs(200, label_noise=0.0)
    known = {one.prompt for one in pairs[:10]}
    fresh = written_pairs(300, seed=9)
    fresh = [replace(one, id=f"t{place}", prompt=f"Other {one.prompt}") for place, one in enumerate(fresh)]

    def remembers(prompt, answer):
        good = next((one.chosen for one in pairs[:10] if one.prompt == prompt), None)
        return 50.0 * (answer == good) + (right(prompt, answer) if prompt not in known else 0)

    found = probed(remembers, pairs, "none", trained_on=[*pairs[:10], *fresh])
    share = found.find("leaked_prompts")
    assert share.value == pytest.approx(0.05)
    assert share.verdict == "warning"
    assert found.find("leaked_pairs").value == pytest.approx(0.05)
    without, gain = found.find("accuracy_without_leaks"), found.find("leak_gain")
    accuracy = found.find("accuracy").value
    assert without.n == 190
    assert accuracy == pytest.approx((10 + 190 * without.value) / 200)
    assert gain.value == pytest.approx(accuracy - without.value)
    assert gain.value > 0
    table = found.tables["leaks"]
    assert (table["same_pair"], table["training_pairs"], len(table["rows"])) == (10, 310, 10)


def test_clean_training_is_said_to_be_clean() -> None:
    pairs = [replace(one, prompt=f"Ours {one.prompt}") for one in written_pairs(60)]
    theirs = [pair(str(i), f"unlike anything {i}") for i in range(30)]
    found = probed(right, pairs, "none", trained_on=theirs)
    assert (found.find("leaked_prompts").value, found.find("leaked_prompts").verdict) == (0.0, "ok")
    assert found.find("accuracy_without_leaks").value == found.find("accuracy").value
    assert "no prompt was trained on" in found.find("leak_gain").reason
    assert found.find("leaked_prompts", seed=None) is not None
    assert probed(right, pairs, "none").find("leaked_prompts") is None
