"""Wrong twins of answers, and the pairs made of them: other values of the same kind, abstentions between."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.audits.probes import sentences as probed
from assay.data.augment.made_pairs import Made, made_pairs
from assay.data.augment.wrong_facts import ABSTENTIONS, CERTAIN, without_doubt, wrong_facts
from assay.data.config import CONFIDENTLY_WRONG_KINDS, AugmentConfig
from assay.data.made_mark import made_kind
from assay.data.stated_values import values_of
from assay.errors import ConfigError
from assay.records import Message, Pair
from assay.scorers.factuality.statements import statements

PROMPT = "The order total is $45, store credit $12, due on 3 May. What did I pay?"


def wrong(answer: str, seed: int = 0, prompt: str = PROMPT) -> str | None:
    return wrong_facts(answer, prompt, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "answer",
    [
        "You paid $45 on 3 May.",
        "It takes 3-5 working days, or two weeks at most.",
        "Call on Monday 9-11, or 8am-6pm; we close at 5:30 pm.",
        "Order 12345 (E7) has 15% off until March 2027, in navy.",
        "It costs $1,250.50 from 2026-05-03.",
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_every_value_becomes_another_of_its_kind_and_nothing_else_changes(answer: str, seed: int) -> None:
    made = wrong(answer, seed)
    assert made is not None
    before, after = values_of(answer), values_of(made)
    assert [one.kind for one in before] == [one.kind for one in after]
    assert not any(one.same(other) for one, other in zip(before, after, strict=True))
    words = [words for one in (answer, made) for words in [_without_values(one)]]
    assert words[0] == words[1]
    assert wrong(answer, seed) == made


def _without_values(text: str) -> str:
    for one in reversed(values_of(text)):
        text = text[: one.start] + "#" + text[one.end :]
    return text


def test_ranges_stay_ranges_and_days_days() -> None:
    for seed in range(40):
        made = wrong("It takes 3-5 days from 30 May.", seed)
        assert made is not None
        span, date = values_of(made)
        low, high = map(int, span.value.split()[0].split("-"))
        assert low < high
        assert 1 <= int(date.value.split("/")[1]) <= 28


def test_a_wrong_twin_is_not_known_by_its_english() -> None:
    """ "March 24rd" and "2 day" would teach a reward spelling instead of facts."""
    answer = "You have 1 day until March 3rd: a 14-day window, 14 days, one hour."
    told = "You have 21 days and a 30-day trial."
    for seed in range(40):
        made = wrong(answer, seed, prompt=told)
        assert made is not None
        day, suffix = re.findall(r"March (\d+)(\w+)", made)[0]
        ends = {"1": "st", "2": "nd", "3": "rd"}
        assert suffix == ("th" if day in ("11", "12", "13") else ends.get(day[-1], "th")), made
        assert re.search(r"a \d+-day window, \d+ days", made), made
        for count, unit in re.findall(r"(\w+) (days?|hours?)\b", made):
            assert (count in ("1", "one")) == (not unit.endswith("s")), made


def test_the_prompts_own_values_are_used_and_what_is_said_twice_is_wrong_alike() -> None:
    found = Counter(wrong("You paid $45.", seed) for seed in range(60))
    assert 15 <= found["You paid $12."] <= 45  # half of them
    twice = wrong("You paid $45. Yes, $45.00!", 3)
    assert twice is not None
    first, second = values_of(twice)
    assert first.same(second)


def test_what_has_no_wrong_twin() -> None:
    assert wrong("You may return it.") is None
    assert wrong("1. Open it.\n2. Close it.") is None  # list marks are no figures
    assert wrong("```\nwait 3\n```\nIt takes 3 days.") is None
    assert wrong("Возврат возможен 21 день.") is None


@given(st.text(alphabet="0123456789 .,$%-/:apmMayoneJtw€()\n", max_size=50), st.integers(0, 9))
def test_any_answer_has_another_text_or_none(answer: str, seed: int) -> None:
    assert wrong(answer, seed) != answer


def test_doubt_is_taken_out() -> None:
    assert without_doubt("Perhaps it is 3 days, I believe that it is.", "Sure.") == "Sure. It is 3 days, it is."


def test_the_probe_has_sentences_of_its_own_and_all_abstain() -> None:
    assert not set(ABSTENTIONS) & set(probed.ABSTENTIONS)
    assert not set(CERTAIN) & set(probed.CONFIDENT)
    for said in (*ABSTENTIONS, *probed.ABSTENTIONS):
        assert any(one.form == "abstains" for one in statements(said)), said


def judged(n: int) -> list[Pair]:
    return [
        Pair(
            id=f"p{i}",
            prompt=f"Question {i}?",
            chosen=f"It takes {i + 3} days and costs ${i + 40}.",
            rejected="It takes long.",
            category="a",
            group=f"g{i}",
            weight=1 + i / 10,
        )
        for i in range(n)
    ]


def made(pairs: list[Pair], **options: object) -> Made:
    return made_pairs(pairs, [str(pair.group) for pair in pairs], AugmentConfig.build(options), ties=True)


def test_the_right_answer_beats_the_abstention_and_that_the_wrong_one() -> None:
    pairs = judged(12)
    found = made(pairs, confidently_wrong=3.0)
    assert dict(found.by_kind) == {f"confidently_wrong {kind}": 12 for kind in CONFIDENTLY_WRONG_KINDS}
    by_origin: dict[str, dict[str, Pair]] = {}
    for one in found.pairs:
        by_origin.setdefault(one.id.split("/")[0], {})[str(made_kind(one)).split()[1]] = one
    for pair in pairs:
        kinds = by_origin[pair.id]
        right, abstained, worse = pair.chosen, kinds["abstention_wrong"].chosen, kinds["abstention_wrong"].rejected
        assert (kinds["chosen_abstention"].chosen, kinds["chosen_abstention"].rejected) == (right, abstained)
        assert (kinds["chosen_wrong"].chosen, kinds["chosen_wrong"].rejected) == (right, worse)
        assert abstained in ABSTENTIONS
        assert str(worse).startswith(CERTAIN)
        assert not any(a.same(b) for a in values_of(str(right)) for b in values_of(str(worse)))
        for one in kinds.values():
            assert (one.prompt, one.group, one.category, one.weight) == (
                pair.prompt, pair.group, pair.category, pair.weight,
            )  # fmt: skip
            assert one.source["from"] == [pair.id]


def test_the_seed_alone_decides_and_a_larger_share_adds_to_a_smaller() -> None:
    pairs = judged(20)
    first = made(pairs, confidently_wrong=0.5)
    assert len(first.pairs) == first.wanted == 10
    assert first == made(pairs, confidently_wrong=0.5)
    assert first.pairs != made(pairs, confidently_wrong=0.5, seed=1).pairs
    assert {pair.id for pair in first.pairs} < {pair.id for pair in made(pairs, confidently_wrong=1.5).pairs}
    beside = made(pairs, confidently_wrong=0.5, verbosity=0.5)
    assert [one for one in beside.pairs if "confidently" in one.id] == first.pairs


def test_answers_without_figures_make_fewer_than_wanted_and_kinds_can_be_chosen() -> None:
    plain = [Pair(id="a", prompt="Hi?", chosen="Yes, you may.", rejected="No.", group="g")]
    found = made(plain, confidently_wrong=1.0)
    assert (found.pairs, found.wanted) == ([], 1)
    one = made(judged(6), confidently_wrong=1.0, confidently_wrong_kinds=["abstention_wrong"])
    assert dict(one.by_kind) == {"confidently_wrong abstention_wrong": 6}
    with pytest.raises(ConfigError, match="name each kind once, of abstention_wrong, chosen_wrong, chosen_abstention"):
        AugmentConfig.build({"confidently_wrong_kinds": ["wrong_chosen"]})


def test_of_a_conversation_the_last_message_is_wrong() -> None:
    said = Message(role="assistant", content="It takes 3 days.")
    chat = (Message(role="assistant", content="One of 5?"), Message(role="user", content="Yes."), said)
    pair = Pair(id="a", prompt=(Message(role="user", content="How long?"),), chosen=chat, rejected=(said,), group="g")
    for one in made([pair], confidently_wrong=3.0).pairs:
        for answer in (one.chosen, one.rejected):
            assert isinstance(answer, tuple)
            assert answer[:-1] == chat[:-1]
