"""Pairs put to a scorer: one group a prompt, each distinct answer once, and every pair gets its own two results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.records import Candidates, Message, Pair, PairScore
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored, scored
from assay.scorers.scored_pairs import ScoredPair, as_candidates, score_items, score_pairs


@dataclass
class Lengths:
    """Scores an answer by its length, and remembers what it was asked."""

    name: str = "lengths"
    fingerprint: str = "sha256:0"
    asked: list[Candidates] = field(default_factory=list)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        self.asked += groups
        return [
            tuple(Reward(len(str(answer)) + len(str(group.prompt)) / 1000) for answer in group.answers)
            for group in groups
        ]


def pair(name: str, prompt: str, chosen: str, rejected: str) -> Pair:
    return Pair(id=name, prompt=prompt, chosen=chosen, rejected=rejected)


def test_by_hand() -> None:
    scorer = Lengths()
    assert isinstance(scorer, Scorer)
    pairs = [pair("1", "p", "aaa", "b"), pair("2", "q", "b", "aaa"), pair("3", "p", "b", "cc")]
    found = score_pairs(scorer, pairs)
    assert [(s.pair_id, round(s.chosen.value), round(s.rejected.value)) for s in found] == [
        ("1", 3, 1),
        ("2", 1, 3),
        ("3", 1, 2),
    ]
    assert [(group.id, group.prompt, group.answers) for group in scorer.asked] == [
        ("1", "p", ("aaa", "b", "cc")),
        ("2", "q", ("b", "aaa")),
    ]


def test_messages_and_text_are_different_prompts() -> None:
    text = pair("1", "p", "a", "b")
    chat = Pair(id="2", prompt=(Message(role="user", content="p"),), chosen="a", rejected="b")
    assert len(as_candidates([text, chat])) == 2


@given(st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("abc"), st.sampled_from("abc")), max_size=20))
def test_every_pair_in_order_every_answer_once(rows: list[tuple[str, str, str]]) -> None:
    scorer = Lengths()
    found = score_pairs(scorer, [pair(str(n), *row) for n, row in enumerate(rows)])
    assert [score.pair_id for score in found] == [str(n) for n in range(len(rows))]
    asked = [(group.prompt, answer) for group in scorer.asked for answer in group.answers]
    assert len(asked) == len(set(asked))
    assert set(asked) == {(p, answer) for p, a, b in rows for answer in (a, b)}


class Short(Lengths):
    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return super().score(groups)[:-1]


class Shorter(Lengths):
    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return [values[:-1] for values in super().score(groups)]


def test_a_scorer_that_gives_too_few_is_named() -> None:
    with pytest.raises(InputError, match="lengths gave rewards for 0 of 1 groups"):
        score_pairs(Short(), [pair("1", "p", "a", "b")])
    with pytest.raises(InputError, match="lengths gave 1 rewards for the 2 candidates of 1"):
        score_pairs(Shorter(), [pair("1", "p", "a", "b")])


class ByPair(Lengths):
    unit = "pair"


def test_a_scorer_by_pair_is_asked_pair_by_pair() -> None:
    scorer = ByPair()
    pairs = [pair("1", "p", "aaa", "b"), pair("2", "p", "b", "aaa")]
    assert [(s.pair_id, s.margin) for s in score_pairs(scorer, pairs)] == [("1", 2), ("2", -2)]
    assert [(group.id, group.answers) for group in scorer.asked] == [("1", ("aaa", "b")), ("2", ("b", "aaa"))]


def test_pairs_and_candidates_mixed_are_scored_in_order() -> None:
    """Once, the pairs among candidates were lost without a word."""
    group = Candidates(id="g", prompt="", answers=("a", "bb", "ccc"))
    found = score_items(Lengths(), [pair("1", "", "aa", "b"), group, pair("2", "", "c", "dddd")])
    one, three, two = found
    assert isinstance(one, ScoredPair)
    assert (one.pair_id, one.margin) == ("1", 1)
    assert isinstance(two, ScoredPair)
    assert (two.pair_id, two.margin) == ("2", -3)
    assert three == (Reward(1), Reward(2), Reward(3))
    assert score_items(Lengths(), []) == []
    with pytest.raises(InputError, match=r"items\[1\] is a dict"):
        score_items(Lengths(), [group, {"prompt": "p"}])  # type: ignore[list-item]


def test_what_a_pair_lacks() -> None:
    """An answer that was not taken sets its pair apart; a reward that is no number makes its pair wrong."""
    none, long = scored(math.nan), Unscored("too long")
    both = ScoredPair(pair_id="1", chosen=Reward(2.0), rejected=Reward(0.5))
    assert (both.margin, both.missing, both.unread) == (1.5, None, None)
    assert both.numbers == PairScore(pair_id="1", chosen=2.0, rejected=0.5)
    broken = ScoredPair(pair_id="2", chosen=none, rejected=Reward(0.5))
    assert (broken.margin, broken.missing, broken.unread) == (None, none, None)
    assert math.isnan(broken.numbers.chosen)
    assert broken.numbers.rejected == 0.5
    apart = ScoredPair(pair_id="3", chosen=none, rejected=long)
    assert (apart.margin, apart.missing, apart.unread) == (None, long, "too long")
