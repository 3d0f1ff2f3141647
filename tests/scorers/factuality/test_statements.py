"""Answers cut into statements: where a full stop ends nothing, what abstains, what denies, what is hedged."""

from __future__ import annotations

import pytest

from assay.scorers.factuality.statements import statements


def forms(answer: str) -> list[tuple[str, str]]:
    return [(one.form, one.text) for one in statements(answer)]


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        ("It is 3.5 days. You pay $1,250.50 then.", ["It is 3.5 days.", "You pay $1,250.50 then."]),
        ("See no. 123 of Dr. Lee, e.g. at J. R. Smith Ltd. in town.", None),
        ("We close at 5 p.m. Call before.", ["We close at 5 p.m.", "Call before."]),
        ("It is U.S. law now.", None),
        ("it is 30 days. you can pay then.", ["it is 30 days.", "you can pay then."]),
        ("1. Pay $5 first.\n2. Wait 3 days.\n- Then call us.", ["Pay $5 first.", "Wait 3 days.", "Then call us."]),
        ("# Fees\n\nIt is **$5** a day.", ["It is $5 a day."]),
        ("Run this:\n```\nwait 30 days\n```\nDone with it.", ["Run this:", "Done with it."]),
        ("It costs $5, and it takes 2 days; the fee is $9.", ["It costs $5", "it takes 2 days", "the fee is $9."]),
        ("It costs $5, and we are glad to help.", None),  # one value: one statement
        ('He said "It is $5." Then he left us.', ['He said "It is $5."', "Then he left us."]),
    ],
)
def test_where_statements_end(answer: str, cut: list[str] | None) -> None:
    assert [text for _, text in forms(answer)] == (cut or [answer])


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know.",
        "I'm not sure about that.",
        "I am unable to confirm this.",
        "I do not have that information.",
        "I can't say when it will arrive.",
        "It is not stated in what you sent me.",
        "It's unclear how long it takes.",
        "I would have to check this first.",
        "There is no mention of a fee.",
        "We couldn’t find an answer to this.",
    ],
)
def test_abstentions(answer: str) -> None:
    assert [form for form, _ in forms(answer)] == ["abstains"]


@pytest.mark.parametrize(
    "answer",
    [
        "Just reply here if anything is unclear.",
        "You don't have to pay for that.",
        "We can't take it back after 30 days.",
        "You know that it is 30 days.",
    ],
)
def test_what_only_looks_like_an_abstention(answer: str) -> None:
    assert [form for form, _ in forms(answer)] == ["claim"]


def test_a_denial_is_about_the_record() -> None:
    assert forms("Your file doesn't show a card.")[0][0] == "denial"
    assert forms("There is no sign of a fee in our records.")[0][0] == "denial"


def test_an_abstention_that_goes_on_to_tell_is_a_claim_with_a_reserve() -> None:
    first, second = statements("I'm not sure, but it is 14 days.")
    assert (first.form, second.form, second.hedged) == ("abstains", "claim", True)
    assert statements("I think it takes 14 days.")[0].hedged
    assert not statements("It takes 14 days.")[0].hedged
    assert [one.form for one in statements("I don't know, but have a nice day.")] == ["abstains"]


def test_what_states_nothing() -> None:
    assert [form for form, _ in forms("Hi Dana! Is it 30 days?")] == ["no_claim", "no_claim"]
    assert forms("") == []
