"""Answers cut into statements: where a full stop ends nothing, what abstains, what denies, what is hedged."""

from __future__ import annotations

import time

import numpy as np
import pytest

from assay.data.stated_values import values_of
from assay.scorers.factuality.known_facts import evidence
from assay.scorers.factuality.looked_up import look_up
from assay.scorers.factuality.statements import _JOINT, ABSTAINS, _parts, sentences, statements


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


PIECES = (
    "It costs $5", "it takes 2 days", "I don't know", "we are glad", "I do not really have", "any information",
    "May 3", "2024", "Dr. Lee", "no. 5", "at 5 p.m.", "one second", "it is unknown", "anything is unclear", "on file",
    "AB-12", "Hi", ", and ", "; ", ", while ", ";  ", ". ", "? ", " but ", " — ", " ", " ",
)  # fmt: skip


def plainly_cut(sentence: str) -> list[str]:
    """At each joint, by looking at all that is before it and all behind it: right, and quadratic."""

    def judged(text: str) -> bool:
        return bool(ABSTAINS.search(text) or values_of(text))

    found, begin = [], 0
    for joint in _JOINT.finditer(sentence):
        if judged(sentence[begin : joint.start()]) and judged(sentence[joint.end() :]):
            found.append(sentence[begin : joint.start()])
            begin = joint.end()
    return [*found, sentence[begin:]]


def test_sentences_are_cut_as_if_every_joint_looked_at_all_of_them() -> None:
    draw = np.random.default_rng(5)
    cut = 0
    for _ in range(300):
        text = "".join(draw.choice(PIECES) + " " * int(draw.integers(2)) for _ in range(draw.integers(2, 16)))
        for sentence in sentences(text):
            assert _parts(sentence) == plainly_cut(sentence)
            cut += len(plainly_cut(sentence)) > 1
    assert cut > 20


@pytest.mark.parametrize(
    "piece",
    [
        "It costs $5, and ", "we go, and ", "I don't know, and ", "A. ", "no. 5 ", "!", '."', " ", "\n",
        "I don't know ", "; ", "the total is $45 and ", "it is not $45 nor ",
    ],
)  # fmt: skip
def test_a_line_written_to_be_slow_costs_what_its_length_does(piece: str) -> None:
    """In an answer of 400,000 characters a quadratic step takes hours."""
    told = evidence("The order total is $45.")

    def seconds(size: int) -> float:
        text, spent = f"Well {piece * (size // len(piece))}x costs $5", []
        for _ in range(3):
            begin = time.process_time()
            for one in statements(text):
                look_up(one, told)
            spent.append(time.process_time() - begin)
        return min(spent)

    seconds(500)
    assert seconds(12_000) < 24 * seconds(1_500) + 0.02  # 8 times is linear, 64 quadratic
