"""Baselines by hand, and that the longest answer is the audit's length rule."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits import audit
from assay.errors import InputError
from assay.records import Candidates, Message
from assay.scorers.baseline import baseline
from assay.scorers.protocol import Reward, Scored
from assay.scorers.scored_pairs import score_pairs
from tests.support import tiny_bases as tiny

CHAT = (Message(role="assistant", content="ab"), Message(role="assistant", content="c"))
GROUP = Candidates(id="g", prompt="p", answers=("abcd", "a", CHAT, "", "a"))


def values(argument: str, group: Candidates = GROUP) -> list[float]:
    (results,) = baseline(argument).score([group])
    return [result.value for result in results if isinstance(result, Reward)]


def test_by_hand() -> None:
    # Of a conversation, its contents joined by a blank line: "ab", two line breaks, "c".
    assert values("longest") == values("length") == [4, 1, 5, 0, 1]
    assert values("shortest") == [-4, -1, -5, 0, -1]
    assert values("constant") == [0] * 5


def test_chance_is_drawn_by_content() -> None:
    drawn = values("random")
    assert drawn[1] == drawn[4]
    assert len(set(drawn)) == 4
    assert values("random", Candidates(id="h", prompt="p", answers=GROUP.answers[::-1])) == drawn[::-1]
    assert values("random", Candidates(id="g", prompt="q", answers=GROUP.answers)) != drawn
    assert values("random:0") == drawn != values("random:1")
    many = np.array(values("random:5", Candidates(id="m", prompt="p", answers=tuple(map(str, range(4000))))))
    assert (many.min() >= 0, many.max() < 1) == (True, True)
    assert abs(many.mean() - 0.5) < 4 * 12**-0.5 / 4000**0.5  # four standard errors of a uniform draw


@pytest.mark.parametrize("argument", ["", "best", "longest:3", "random:", "random:x", "random:-1"])
def test_there_are_no_others(argument: str) -> None:
    with pytest.raises(InputError, match="no such baseline"):
        baseline(argument)


def test_the_longest_answer_is_the_audit_s_length_rule() -> None:
    pairs = tiny.pairs(60)
    scores = [one.numbers for one in score_pairs(baseline("longest"), pairs)]
    found = audit(scores, pairs)
    accuracy, rule = found.find("accuracy"), found.find("length_baseline")
    assert accuracy is not None
    assert rule is not None
    equal = sum(len(pair.chosen) == len(pair.rejected) for pair in pairs)
    assert rule.value == pytest.approx(accuracy.value + 0.5 * equal / 60)


def test_results_are_rewards() -> None:
    results: list[Scored] = [result for found in baseline("random").score([GROUP]) for result in found]
    assert all(isinstance(result, Reward) for result in results)
