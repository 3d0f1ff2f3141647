"""A plain function as a scorer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from assay.errors import InputError
from assay.records import Candidates, Message, Text
from assay.scorers.function import FunctionScorer
from assay.scorers.protocol import Reward, Unscored, score_groups

GROUP = Candidates(id="g", prompt=(Message(role="user", content="p"),), answers=("a", "bb"))


def test_it_gets_prompt_and_answers_and_gives_numbers() -> None:
    asked = []

    def rule(prompt: Text, answers: Sequence[Text]) -> np.ndarray:
        asked.append((prompt, answers))
        return np.array([len(answer) for answer in answers], dtype=np.float32)

    scorer = FunctionScorer(rule)
    assert scorer.score([GROUP]) == [(Reward(1.0), Reward(2.0))]
    assert asked == [(GROUP.prompt, ("a", "bb"))]
    assert scorer.name == "rule"


def test_it_may_give_rewards_and_reasons_itself() -> None:
    rich = Reward(1.0, heads={"safe": 0.5})
    assert FunctionScorer(lambda _, __: (rich, Unscored("no"))).score([GROUP]) == [(rich, Unscored("no"))]
    ((none, _),) = FunctionScorer(lambda _, __: (math.inf, True)).score([GROUP])
    assert none == Unscored("the reward is not finite: inf")


def test_what_is_no_number_or_too_few_is_an_error() -> None:
    with pytest.raises(InputError, match=r"lambda> gave 'high' for an answer of g\. Give a number"):
        FunctionScorer(lambda _, __: ["high", 1.0]).score([GROUP])
    with pytest.raises(InputError, match="one gave 1 rewards for the 2 candidates of g"):
        list(score_groups(FunctionScorer(lambda _, __: [1.0], name="one"), [GROUP]))

    def broken(_: Text, __: Sequence[Text]) -> list[float]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # the user's own error, with its own traceback
        FunctionScorer(broken).score([GROUP])


def test_its_fingerprint_is_its_own_unless_given() -> None:
    def rule(_: Text, answers: Sequence[Text]) -> list[float]:
        return [0.0] * len(answers)

    assert FunctionScorer(rule).fingerprint != FunctionScorer(rule).fingerprint
    assert FunctionScorer(rule, fingerprint="rule/2").fingerprint == "rule/2"
