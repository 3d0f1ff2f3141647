"""One statement against facts: each verdict for its reason, and what is meant to lead a rule astray."""

from __future__ import annotations

import pytest

from assay.records import Message
from assay.scorers.factuality.known_facts import evidence, question_of
from assay.scorers.factuality.looked_up import look_up
from assay.scorers.factuality.statements import statements

PROMPT = (
    "Policy: Exchanges: within 21 days. Refunds reach the card in 2 weeks. Returns by post are not possible.\n"
    "Account: Nina Reed, Plus plan; delivery due 9 November; order total $45; store credit $12; sent with Quickvan.\n"
    "Customer: I have a question. Until when can I exchange it? Did you charge me $99?"
)


def verdicts(answer: str, prompt: str = PROMPT) -> list[str]:
    return [look_up(one, evidence(prompt)).verdict for one in statements(answer)]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("You have 21 days to exchange it.", "supported"),
        ("It is 21 days.", "supported"),  # no word of its own: the question says what it is about
        ("Exchanges are open for three weeks.", "supported"),
        ("Refunds take 14 days.", "supported"),
        ("The order total was $45.00.", "supported"),
        ("You have 30 days to exchange it.", "contradicted"),
        ("It is 30 days.", "contradicted"),
        ("Exchanges are possible within 21 to 30 days.", "contradicted"),
        ("The order total was $12.", "contradicted"),  # another fact's figure
        ("Your delivery is due on 10 November.", "contradicted"),
        ("The late fee is $7.", "not_found"),
        ("Your warranty ends in March 2027.", "not_found"),
        ("Yes, we charged you $99.", "not_found"),  # what a question supposes is not told
        ("It is not 30 days but 21 days.", "supported"),
        ("It is not 21 days but 30 days.", "contradicted"),
        ("It isn't 21 days.", "contradicted"),
        ("You have not more than 21 days to exchange it.", "supported"),
        ("The order total is not $45 in store.", "contradicted"),
        (
            "You do not have to pay the order total of $45.",
            "no_claim",
        ),  # the figure stands there; whether it is owed does not
        ("Exchanges after 21 days.", "no_claim"),
        ("You can exchange it after 21 days.", "no_claim"),  # the other side of a bound
        ("Returns by post are possible.", "contradicted"),
        ("Returns by post are not possible.", "supported"),
        ("Your file shows no store credit.", "contradicted"),
        ("Your file doesn't show a delivery date.", "contradicted"),
        ("There is no sign of a courier named Redkite in our records.", "abstains"),
        ("Your file doesn't show a warranty date.", "abstains"),
        ("I don't know.", "abstains"),
        ("The parcel is with Redkite now.", "not_found"),
        ("We are happy to help you with it.", "no_claim"),
        ("Thanks for writing in, Nina!", "no_claim"),  # to name the customer is no fact told
    ],
)
def test_a_statement_and_its_verdict(answer: str, verdict: str) -> None:
    assert verdicts(answer) == [verdict]


def test_of_two_values_the_wrong_one_decides() -> None:
    assert verdicts("You paid an order total of $45 and have a store credit of $20") == ["contradicted"]


def test_a_reason_names_the_fact_and_where_it_stands() -> None:
    found = look_up(statements("You have 30 days to exchange it.")[0], evidence(PROMPT))
    assert found.why == "30 days is not what the prompt has"
    assert found.fact == "Policy: Exchanges: within 21 days."
    there = look_up(statements("Parking costs $8 an hour.")[0], evidence("Hi.", [("fees.md:2", "Parking costs $8.")]))
    assert (there.verdict, there.why) == ("supported", "$8 stands in fees.md:2")


def test_what_the_assistant_said_before_is_no_fact() -> None:
    chat = (
        Message(role="user", content="The fee is $5. What is the fee?"),
        Message(role="assistant", content="The fee is $9."),
        Message(role="user", content="Really?"),
    )
    one = statements("The fee is $9.")[0]
    assert look_up(one, evidence(chat)).verdict == "contradicted"
    assert question_of(chat) == "What is the fee? Really?"


def test_a_request_is_no_fact() -> None:
    assert not evidence("Write a poem of 12 lines.").states_something
    assert not evidence("What is the capital of France?").states_something
    assert evidence("The poem has 12 lines.").states_something
