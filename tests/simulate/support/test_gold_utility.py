"""The utility of any text: what the world built where it wrote the text, worked by hand where it did not."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audits.probes.additions import Beside
from assay.audits.probes.all_probes import PROBES
from assay.simulate.random_values import simulation_stream
from assay.simulate.support import CATEGORIES, support
from assay.simulate.support.case import Case
from assay.simulate.support.reading import ReadCase, gold_utility, read_case, read_quality
from assay.simulate.support.utility import WEIGHTS, utility
from assay.stats.unknown import Unknown

QUESTION = (
    "Policy: Late payment fee: $18. Repairs: 3-5 working days.\n"
    "Account: Dana Bell, Plus plan, lamp; plan renews 3 May; card ending 7464; 5 ordered.\n"
    "Customer: Hi, it's about the lamp. When does my plan renew and what is my member discount?"
)
REQUEST = (
    "Policy: Returns: within 30 days of delivery. Pausing: never possible.\n"
    "Account: Dana Bell, Plus plan, lamp; delivered 12 days ago; card ending 7464.\n"
    "Customer: Can I send the lamp back?"
)


def drawn(seed: int, cases: int) -> Iterator[Case]:
    for name, draw in CATEGORIES.items():
        rng = simulation_stream(seed, f"test/{name}")
        for _ in range(cases):
            yield draw(rng, 4)


def held_against_the_built_truth(cases: int, seed: int) -> tuple[int, int, int]:
    """Answers read, prompts that could not be read, and answers whose utility was read otherwise than it was built."""
    read = unread = 0
    others = []
    for case in drawn(seed, cases):
        found = read_case(case.prompt, case.category)
        if isinstance(found, Unknown):
            unread += 1
            assert "two things" in found.reason
            continue
        assert found.category == case.category
        for answer in case.answers:
            quality = read_quality(found, answer.text)
            assert quality.words_idle == 0, answer.text
            read += 1
            if utility(quality) != answer.utility:
                others.append((case, answer, quality))
    for case, answer, quality in others:
        # The world's own slip: a limit "misquoted" as what it is, which it counts as wrong and a reader as right.
        assert case.category == "refusals"
        assert (answer.quality.facts_wrong, quality.facts_wrong) in {(1, 0), (2, 1)}
    return read, unread, len(others)


def test_what_the_world_wrote_has_the_worth_it_was_built_with() -> None:
    read, unread, others = held_against_the_built_truth(150, seed=11)
    assert read > 2_900
    assert unread <= 3
    assert others <= 3


@pytest.mark.slow
def test_what_the_world_wrote_has_the_worth_it_was_built_with_in_fifty_thousand_answers() -> None:
    read, unread, others = held_against_the_built_truth(2_500, seed=11)
    assert read > 49_500
    assert unread <= 40
    assert others <= 15


def test_rows_of_a_file_have_the_utilities_of_its_truth() -> None:
    desk = support(300, seed=2)
    unread = 0
    for row in desk.rows:
        texts = [str(row[side]) for side in ("chosen", "rejected")]
        found = [gold_utility(str(row["prompt"]), text, str(row["category"])) for text in texts]
        unread += isinstance(found[0], Unknown)
        assert isinstance(found[0], Unknown) or found == desk.truth["rows"][str(row["id"])]["utility"]
    assert unread <= 4


def test_by_hand_a_question() -> None:
    case = read_case(QUESTION)
    assert isinstance(case, ReadCase)
    assert [(fact.kind.name, fact.value) for fact in case.asked] == [("renewal", "3 May"), ("discount", "")]
    right = "Your plan renews on 3 May. I can't see a discount on file."
    assert gold_utility(QUESTION, right) == 2 * 0.5
    assert gold_utility(QUESTION, "Your plan renews on 4 May.") == pytest.approx(-1.4 - 0.9)
    # Both dates: one of them is right, and the other is told wrongly all the same.
    assert gold_utility(QUESTION, "Your plan renews on 3 May. Your plan renews on 4 May.") == pytest.approx(
        0.5 - 1.4 - 0.9
    )
    # Told twice, the second time is six idle words.
    assert gold_utility(QUESTION, f"{right} Your renewal date is 3 May.") == pytest.approx(1.0 - 6 * 0.03)
    assert gold_utility(QUESTION, f"{right} Also, you ordered 5 of them.") == pytest.approx(1.0 + 0.2)
    assert gold_utility(QUESTION, f"{right} Also, you ordered 6 of them.") == pytest.approx(1.0 - 1.4)
    assert gold_utility(QUESTION, f"{right} One more thing: you have 210 points.") == pytest.approx(1.0 - 1.4)
    assert gold_utility(QUESTION, f"Hi Dana! {right} Have a good day.") == pytest.approx(1.0)
    assert gold_utility(QUESTION, f"What a wonderful question! {right}") == pytest.approx(1.0 - 4 * 0.03)
    assert gold_utility(QUESTION, "") == pytest.approx(-2.0 - 2 * 0.9)


def test_by_hand_a_request() -> None:
    granted = "You can return the lamp"
    assert gold_utility(REQUEST, f"{granted}.") == 2.2
    assert gold_utility(REQUEST, f"{granted}, because you are within the 30 days.") == pytest.approx(2.2 + 0.5)
    assert gold_utility(REQUEST, f"{granted}, because you are within the 60 days.") == pytest.approx(2.2 - 1.4)
    assert gold_utility(REQUEST, "We can't take the lamp back, as the 30 days are over.") == pytest.approx(-2.2 - 1.4)
    # Who says both has decided nothing.
    assert gold_utility(REQUEST, f"{granted}. You can't return the lamp.") == 0.0
    assert gold_utility(REQUEST, "Please pick up the phone.") == pytest.approx(-5 * 0.03)


def test_how_it_is_written_changes_nothing_that_is_said() -> None:
    said = "We can't take the lamp back, as the 30 days are over. Your card ends in 1. Thanks for your patience."
    worth = gold_utility(REQUEST, said)
    for other in (said.upper(), said.lower(), said.replace("'", "’"), said.replace(". ", ".\n\n"), f"**{said}**"):
        assert gold_utility(REQUEST, other) == worth


def test_nothing_that_a_probe_adds_is_worth_anything() -> None:
    rng = np.random.default_rng(0)
    added = {name: probe.rule for name, probe in PROBES.items() if probe.kind == "added"}
    for case in drawn(5, 12):
        for answer in case.answers:
            before = gold_utility(case.prompt, answer.text, case.category)
            assert isinstance(before, float)
            for name, rule in added.items():
                changed = rule(answer.text, Beside(prompt=case.prompt, other=None), rng)
                after = gold_utility(case.prompt, changed, case.category)
                assert isinstance(after, float)
                assert after <= before, name
                assert after < before or name in ("trailing_space", "markdown_dressing")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_a_worth(text: str) -> None:
    for prompt in (QUESTION, REQUEST):
        assert isinstance(gold_utility(prompt, text), float)
    assert isinstance(gold_utility(text, "Yes."), Unknown)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Account: ", "Notes: ", "no lines of policy"),
        ("Plus plan, lamp", "Gold plan, lamp", "does not name the customer"),
        ("delivered 12 days ago", "delivered soon", "says nothing of what the rule looks at"),
        ("delivered 12 days ago", "delivered 12 days ago; delivered 90 days ago", "two things"),
        ("Can I send the lamp back?", "Tell me a joke.", "asks for 0 of the things"),
        ("within 30 days of delivery", "on Sundays", "'on Sundays' is not read"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_says_why(old: str, new: str, reason: str) -> None:
    found = gold_utility(REQUEST.replace(old, new), "Yes.")
    assert isinstance(found, Unknown)
    assert reason in found.reason


def test_a_question_of_two_categories_counts_words_where_its_category_is_known() -> None:
    prompt = QUESTION.replace(" and what is my member discount", "")
    case = read_case(prompt)
    assert isinstance(case, ReadCase)
    assert case.either
    answer = (
        "Hello Dana. Your plan renews on 3 May. Just reply here if anything is unclear. Also, you ordered 5 of them."
    )
    assert gold_utility(prompt, answer) == gold_utility(prompt, answer, "hallucination") == pytest.approx(0.5 + 0.2)
    assert gold_utility(prompt, answer, "brevity") == pytest.approx(0.5 + 0.2 - 0.03 * (21 - 14))


def test_the_table_says_all_that_is_weighed() -> None:
    rng = random.Random(0)
    worst = "word " * rng.randint(10, 20)
    assert gold_utility(REQUEST, worst) == pytest.approx(WEIGHTS["words_idle"] * len(worst.split()))
