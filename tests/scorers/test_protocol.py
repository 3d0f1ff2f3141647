"""Pairs put to a scorer: one group a prompt, each distinct answer once, and every pair gets its own two rewards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.records import Candidates, Message, Pair
from assay.scorers.protocol import Scorer, as_candidates, score_pairs


@dataclass
class Lengths:
    """Scores an answer by its length, and remembers what it was asked."""

    name: str = "lengths"
    fingerprint: str = "sha256:0"
    asked: list[Candidates] = field(default_factory=list)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
        self.asked += groups
        return [
            tuple(float(len(str(answer)) + len(str(group.prompt)) / 1000) for answer in group.answers)
            for group in groups
        ]


def pair(name: str, prompt: str, chosen: str, rejected: str) -> Pair:
    return Pair(id=name, prompt=prompt, chosen=chosen, rejected=rejected)


def test_by_hand() -> None:
    scorer = Lengths()
    assert isinstance(scorer, Scorer)
    pairs = [pair("1", "p", "aaa", "b"), pair("2", "q", "b", "aaa"), pair("3", "p", "b", "cc")]
    found = score_pairs(scorer, pairs)
    assert [(s.pair_id, round(s.chosen), round(s.rejected)) for s in found] == [("1", 3, 1), ("2", 1, 3), ("3", 1, 2)]
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
    def score(self, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
        return super().score(groups)[:-1]


class Shorter(Lengths):
    def score(self, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
        return [values[:-1] for values in super().score(groups)]


def test_a_scorer_that_gives_too_few_is_named() -> None:
    with pytest.raises(InputError, match="lengths gave rewards for 0 of 1 groups"):
        score_pairs(Short(), [pair("1", "p", "a", "b")])
    with pytest.raises(InputError, match="lengths gave 1 rewards for the 2 candidates of 1"):
        score_pairs(Shorter(), [pair("1", "p", "a", "b")])


def test_importing_scorers_and_commands_imports_no_torch() -> None:
    code = (
        "import sys, assay.scorers.local, assay.scorers.files, assay.cli.models, assay.cli.score;"
        "import assay.models.catalogue;"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
