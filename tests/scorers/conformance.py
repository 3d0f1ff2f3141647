"""What every kind of scorer is held against. A new kind adds a Case to test_conformance.py and passes all CHECKS."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from assay.records import Candidates, Message, Pair
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored, score_groups
from assay.scorers.scored_pairs import score_pairs

CHAT = (Message(role="system", content="Be brief."), Message(role="user", content="May I?"))
GROUPS = (
    Candidates(id="one", prompt="How do I get a refund?", answers=("Press refund.",)),
    Candidates(id="two", prompt="How do I get a refund?", answers=("No.", "Press refund, then wait for us.")),
    Candidates(id="twice", prompt="May I?", answers=("No.", "Yes.", "No.")),
    Candidates(id="chat", prompt=CHAT, answers=((Message(role="assistant", content="Yes."),), "Of course you may.")),
    Candidates(id="many", prompt="Say a word.", answers=tuple(f"word {n}" * (n + 1) for n in range(9))),
)
PAIRS = (
    Pair(id="1", prompt="May I?", chosen="Yes.", rejected="No."),
    Pair(id="2", prompt="May I?", chosen="No.", rejected="Never."),
    Pair(id="3", prompt="Say a word.", chosen="A word.", rejected="Yes."),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of scorer, made anew at each call.

    other: one that gives other rewards. groups, pairs: what it can be asked about. unreadable: a group of which it can
    take no answer, if there is one. tolerance: by how much rewards may depend on what else stands in the batch.
    """

    make: Callable[[], Scorer]
    other: Callable[[], Scorer]
    groups: Sequence[Candidates] = GROUPS
    pairs: Sequence[Pair] = PAIRS
    unreadable: Candidates | None = None
    tolerance: float = 0.0

    def same(self, one: Sequence[Scored], other: Sequence[Scored]) -> bool:
        """Whether two lists of results are equal, but for the tolerance."""
        return len(one) == len(other) and all(
            abs(a.value - b.value) <= self.tolerance if isinstance(a, Reward) and isinstance(b, Reward) else a == b
            for a, b in zip(one, other, strict=True)
        )


def one_result_an_answer(case: Case) -> None:
    found = case.make().score(case.groups)
    assert [len(results) for results in found] == [len(group.answers) for group in case.groups]
    assert all(isinstance(result, Reward | Unscored) for results in found for result in results)


def nothing_asked_nothing_given(case: Case) -> None:
    assert case.make().score([]) == []


def in_the_order_given(case: Case) -> None:
    scorer = case.make()
    for one, other in zip(scorer.score(case.groups), reversed(scorer.score(case.groups[::-1])), strict=True):
        assert case.same(one, other)


def one_by_one_as_together(case: Case) -> None:
    scorer = case.make()
    for group, together in zip(case.groups, scorer.score(case.groups), strict=True):
        (alone,) = scorer.score([group])
        assert case.same(alone, together)


def equal_answers_equal_rewards(case: Case) -> None:
    scorer = case.make()
    twice = [group for group in case.groups if len(set(group.answers)) < len(group.answers)]
    assert twice, "a case needs a group with an answer that stands in it twice"
    for group, results in zip(twice, scorer.score(twice), strict=True):
        first = dict(zip(group.answers[::-1], results[::-1], strict=True))
        assert all(first[answer] == result for answer, result in zip(group.answers, results, strict=True))


def rewards_are_finite_and_reasons_are_words(case: Case) -> None:
    for results in case.make().score(case.groups):
        for result in results:
            if isinstance(result, Reward):
                assert type(result.value) is float
                assert all(math.isfinite(number) for number in (result.value, *result.heads.values()))
            else:
                assert result.reason.strip()


def what_cannot_be_taken_costs_nothing_else(case: Case) -> None:
    if case.unreadable is None:
        pytest.skip("takes every answer")
    scorer = case.make()
    first, *found = scorer.score([case.unreadable, *case.groups])
    assert all(isinstance(result, Unscored) and result.reason and not result.not_finite for result in first)
    for one, other in zip(found, scorer.score(case.groups), strict=True):
        assert case.same(one, other)


def the_fingerprint_tells_scorers_apart(case: Case) -> None:
    scorer, other = case.make(), case.other()
    assert scorer.fingerprint == scorer.fingerprint
    assert scorer.fingerprint != other.fingerprint
    assert scorer.score(case.groups) != other.score(case.groups)


def the_name_is_for_people(case: Case) -> None:
    name = case.make().name
    assert name.strip() == name != ""
    assert "\n" not in name
    assert "object at 0x" not in name


def it_is_a_scorer_and_keeps_its_promises(case: Case) -> None:
    scorer = case.make()
    assert isinstance(scorer, Scorer)
    for (group, results), asked in zip(score_groups(scorer, case.groups), case.groups, strict=True):
        assert group is asked
        assert len(results) == len(group.answers)


def pairs_get_their_own_results(case: Case) -> None:
    scorer = case.make()
    for pair, found in zip(case.pairs, score_pairs(scorer, case.pairs), strict=True):
        assert pair.id == found.pair_id
        alone = Candidates(id=pair.id, prompt=pair.prompt, answers=(pair.chosen, pair.rejected), source=pair.source)
        assert case.same((found.chosen, found.rejected), scorer.score([alone])[0])


def importing_it_imports_no_torch(case: Case) -> None:
    module = type(case.make()).__module__
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


CHECKS: Mapping[str, Callable[[Case], None]] = {
    check.__name__: check
    for check in (
        one_result_an_answer,
        nothing_asked_nothing_given,
        in_the_order_given,
        one_by_one_as_together,
        equal_answers_equal_rewards,
        rewards_are_finite_and_reasons_are_words,
        what_cannot_be_taken_costs_nothing_else,
        the_fingerprint_tells_scorers_apart,
        the_name_is_for_people,
        it_is_a_scorer_and_keeps_its_promises,
        pairs_get_their_own_results,
        importing_it_imports_no_torch,
    )
}
