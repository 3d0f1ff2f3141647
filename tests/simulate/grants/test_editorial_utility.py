"""The utility reads any text: worked by hand on one prompt, sensible on all others, and not to be had cheaply."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.simulate.grants import worth
from assay.simulate.grants.application import SECTIONS, Application, draw, prompt_of
from assay.simulate.grants.editorial_utility import WEIGHTS
from assay.simulate.grants.paragraphs import PADDING, Paragraph, best, write
from assay.simulate.prose import sentence

PROMPT = """Write the paragraph on the method for the grant application of the Fairham Repair Workshop to the Juniper \
Trust: 30 to 45 words, from these notes only.
Need: live in damp rooms, 736 of 2,735 tenants, Fairham.
People served: 63 tenants, ages 37 to 55.
Budget: $15,400 in all; timber, $7,000.
Method: 16 builders; 9 repair days a week, 41 weeks.
Outcome: heat a dry home, 52 of the 63 tenants, by November.
The funder's priorities: open data on results; shared use of buildings."""
METHOD = "We offer 9 repair days each week over 41 weeks, led by 16 builders. "
PEOPLE = "The project is for 63 tenants whose ages are 37 to 55. "
CLOSE = "We ask the Juniper Trust for $15,400. This serves your priority of shared use of buildings."


def test_worked_by_hand() -> None:
    # Two facts wanted, the sum asked for, a priority of the funder: 42 words, within 30 to 45.
    found = worth(PROMPT, METHOD + PEOPLE + CLOSE)
    assert found.measures == {"facts_wanted": 2.0, "ask_full": 1.0, "priority": 1.0}
    assert found.utility == pytest.approx(2 * 1.4 + 1.2 + 0.9)


@pytest.mark.parametrize(
    ("text", "measure", "value"),
    [
        (METHOD.replace("41", "43") + PEOPLE + CLOSE, "numbers_wrong", 1),  # 43 stands nowhere
        (METHOD.replace("41 weeks", "16 weeks") + PEOPLE + CLOSE, "numbers_wrong", 1),  # 16 counts builders
        (METHOD + PEOPLE.replace("63", "2,735") + CLOSE, "numbers_wrong", 1),  # the tenants of another note
        (METHOD + PEOPLE + CLOSE.replace("$15,400", "$7,000"), "ask_wrong", 1),
        (METHOD + PEOPLE + CLOSE.replace("$15,400", "its help"), "ask_vague", 1),
        (METHOD + PEOPLE + CLOSE.replace("shared use of buildings", "paths into work"), "priority_foreign", 1),
        (METHOD + PEOPLE.replace("tenants", "tenants of Dunmouth") + CLOSE, "names_wrong", 1),
        (METHOD + PEOPLE + "This holistic plan will leverage synergies. " + CLOSE, "jargon", 3),
        (METHOD + METHOD + PEOPLE + CLOSE, "facts_wanted", 2),  # told twice, counted once
        (CLOSE, "words_outside", 14),  # 16 words of at least 30
        ("Of these tenants, 27% live in damp rooms. " + METHOD + PEOPLE + CLOSE, "facts_beside", 1),  # 736 of 2,735
    ],
)  # fmt: skip
def test_each_fault_is_found(text: str, measure: str, value: float) -> None:
    assert worth(PROMPT, text).measures.get(measure) == value


def test_two_facts_in_one_sentence_are_no_fault() -> None:
    text = "We serve 63 tenants in Fairham, where 736 of 2,735 tenants live in damp rooms."
    assert "numbers_wrong" not in worth(PROMPT, text).measures


CHEAP: dict[str, Callable[[str, str, Application], str]] = {
    "empty": lambda prompt, good, a: "",
    "garbage": lambda prompt, good, a: "asdf qwer zxcv uiop hjkl " * 8,
    "one word again and again": lambda prompt, good, a: "grant " * 40,
    "the prompt": lambda prompt, good, a: prompt,
    "its notes": lambda prompt, good, a: "\n".join(prompt.split("\n")[1:]),
    "its notes without labels": lambda prompt, good, a: " ".join(
        line.partition(": ")[2] for line in prompt.split("\n")[1:]
    ),
    "every number": lambda prompt, good, a: " ".join(re.findall(r"\$?[0-9][0-9,]*", prompt)),
    "every number in a sentence": lambda prompt, good, a: (
        f"We ask the {a.funder} for {a.total} with {' '.join(re.findall(r'[0-9][0-9,]*', prompt))} for the people."
    ),
    "twice": lambda prompt, good, a: f"{good} {good}",
    "twenty times": lambda prompt, good, a: " ".join([good] * 20),
    "very long": lambda prompt, good, a: " ".join([good, *(sentence(line) for line in PADDING * 5)]),
    "shuffled": lambda prompt, good, a: " ".join(random.Random(1).sample(good.split(), len(good.split()))),
    "the ask alone": lambda prompt, good, a: f"We ask the {a.funder} for {a.total}.",
    "no fact": lambda prompt, good, a: (
        "We want to help people in need with a good project that will make a real difference to their lives. Your "
        "support would mean a lot to us, and we would be grateful for it."
    ),
    "a refusal": lambda prompt, good, a: "I am sorry, but I cannot help you with that request.",
}


@pytest.fixture(scope="module")
def desks() -> list[tuple[str, Application, Paragraph, list[Paragraph]]]:
    """Prompts, each with a good paragraph and nine that are as they come."""
    rng = random.Random(5)
    out = []
    for number in range(20):
        application = draw(rng, list(SECTIONS)[number % 5])
        prompt = prompt_of(rng, application)
        drawn = [write(rng, application, prompt) for _ in range(9)]
        out.append((prompt, application, best(rng, application, prompt), drawn))
    return out


@pytest.mark.parametrize("name", CHEAP)
def test_nothing_cheap_wins(name: str, desks: list[tuple[str, Application, Paragraph, list[Paragraph]]]) -> None:
    """Never above a good paragraph, and below what comes in the mean."""
    cheap = [worth(prompt, CHEAP[name](prompt, good.text, a)).utility for prompt, a, good, _ in desks]
    assert all(value < good.utility - 1 for value, (_, _, good, _) in zip(cheap, desks, strict=True))
    assert np.mean(cheap) < np.mean([np.median([one.utility for one in drawn]) for *_, drawn in desks])


def test_the_orders_anybody_would_give(desks: list[tuple[str, Application, Paragraph, list[Paragraph]]]) -> None:
    for number, (prompt, _, good, drawn) in enumerate(desks):
        stranger = desks[(number + 1) % len(desks)][2].text
        middle = sorted(drawn, key=lambda one: one.utility)[4]
        order = [good.text, middle.text, "word salad of the and the of of tenants", ""]
        values = [worth(prompt, text).utility for text in order]
        assert values == sorted(values, reverse=True)
        assert worth(prompt, stranger).utility < good.utility - 3  # right under another prompt


@settings(max_examples=60, deadline=None)
@given(prompt=st.text(max_size=60), text=st.text(max_size=200))
def test_any_two_texts_have_a_worth(prompt: str, text: str) -> None:
    for asked in (prompt, PROMPT, PROMPT[: len(text)]):
        found = worth(asked, text)
        assert set(found.measures) <= set(WEIGHTS)
        assert -60 < found.utility < 8
        assert worth(asked, text) == found


@pytest.mark.parametrize(
    "text", ["9" * 6000, "$" * 500, "\ud83d", "1,,,2 of $ % 0 of 0", "a\n" * 9000, "Need: 0 of 0."]
)
def test_hostile_texts_have_one_too(text: str) -> None:
    assert np.isfinite(worth(PROMPT, text).utility)
    assert np.isfinite(worth(text, PROMPT).utility)
