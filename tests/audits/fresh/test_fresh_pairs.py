"""Which two answers make a pair, and which pairs people see: random, the same for each prompt alone, blind."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from assay.audits.fresh.fresh_pairs import FreshPair, key_of, least_sure, people_row, purposes, two_of
from assay.records import Message


def pairs(n: int) -> list[FreshPair]:
    return [FreshPair(id=f"q{k}", prompt=f"p{k}", answer_a="a", answer_b="b") for k in range(n)]


def test_two_answers_that_differ_are_drawn_in_random_order_by_prompt_and_seed() -> None:
    answers = ["one", "two", "three"]
    drawn = Counter(two_of(f"q{k}", answers, seed=0) for k in range(3000))
    assert len(drawn) == 6  # each order of each two
    assert max(drawn.values()) < 1.25 * min(drawn.values())
    assert two_of("q1", answers, seed=0) == two_of("q1", answers, seed=0)
    assert {two_of("q1", answers, seed=seed) for seed in range(40)} > {two_of("q1", answers, seed=0)}


def test_the_rarer_answer_is_no_rarer_in_pairs_than_two_draws_have_it() -> None:
    """Of x, x, x, y two that differ are always x and y: the first of a random order and the first that differs."""
    found = {two_of(f"q{k}", ["x", "x ", "x", "y"], seed=0) for k in range(60)}
    assert {tuple(sorted(text.strip() for text in two)) for two in found} == {("x", "y")}


@pytest.mark.parametrize(
    ("answers", "why"), [([], "one_answer"), (["x"], "one_answer"), (["x", "x", " x "], "equal_answers")]
)
def test_no_pair_has_its_reason(answers: list[str], why: str) -> None:
    assert two_of("q", answers, seed=0) == why


def test_the_sample_for_the_estimate_does_not_look_at_the_reward() -> None:
    """The same pairs are drawn whatever the margins are; the unsure ones are the least sure of the rest."""
    rng = np.random.default_rng(0)
    margins = rng.normal(size=200).tolist()
    some = purposes(pairs(200), {"0": margins}, votes=50, unsure=20, seed=3)
    other = purposes(pairs(200), {"0": sorted(margins)}, votes=50, unsure=20, seed=3)
    drawn = [place for place, use in enumerate(some) if use == "estimate"]
    assert drawn == [place for place, use in enumerate(other) if use == "estimate"]
    assert len(drawn) == 50
    unsure = [abs(margins[place]) for place, use in enumerate(some) if use == "unsure"]
    left = [abs(margins[place]) for place, use in enumerate(some) if use == "unasked"]
    assert len(unsure) == 20
    assert max(unsure) <= min(left)
    assert purposes(pairs(5), {"0": margins[:5]}, votes=50, unsure=20, seed=0) == ["estimate"] * 5


def test_members_that_disagree_come_before_small_margins_and_scales_do_not_matter() -> None:
    first, second = [3.0, 0.1, -2.0, 1.0], [200.0, 10.0, 150.0, -90.0]
    sure = least_sure({"0": first, "1": second})
    order = sorted(range(4), key=sure.__getitem__)
    assert set(order[:2]) == {2, 3}  # the two disagree
    assert order[2:] == [1, 0]  # then the smaller margin
    other = least_sure({"0": first, "1": [1000 * one for one in second]})
    assert np.array(other) == pytest.approx(np.array(sure))
    # A member without a number agrees with nobody, and one that is silent everywhere does not divide by zero.
    assert np.isfinite(least_sure({"0": [None, 1.0], "1": [None, None]})).all()


def test_people_see_no_purpose_and_no_margin_and_pairs_are_known_again_by_their_texts() -> None:
    pair = FreshPair(id="q", prompt=(Message(role="user", content="p "),), answer_a="yes\n", answer_b="no", group="g")
    assert set(people_row(pair)) == {"id", "prompt", "answer_a", "answer_b"}
    assert pair.key == key_of("p", "no", " yes") != key_of("p", "no", "maybe")
