"""The table of the advice: what is needed, what is tried first, and that each reason can turn it."""

from __future__ import annotations

import re

import pytest

from assay.advice.reward_or_dpo import RULES, USES, Needs, advise, choice_of, reasons_for
from assay.errors import ConfigError

TABLE = [
    # needs, first
    (Needs(uses=("tune",)), "dpo"),
    (Needs(uses=("online",)), "reward"),
    (Needs(uses=("rerank",)), "reward"),
    (Needs(uses=("inspect",)), "reward"),
    (Needs(uses=("tune", "rerank")), "both"),  # each decides for another side
    (Needs(uses=("tune", "online")), "both"),
    (Needs(uses=("tune", "inspect")), "both"),  # 3 against 2: too close
    (Needs(uses=("tune",), pairs=2500, votes=3, own_answers="yes", judges="yes"), "dpo"),
    (Needs(uses=("tune",), own_answers="no"), "dpo"),  # 3 against 1
    (Needs(uses=("tune",), own_answers="no", votes=1), "both"),  # 3 against 2
    (Needs(uses=("tune",), own_answers="no", votes=1, pairs=400, judges="no"), "both"),  # 3 against 4
    (Needs(uses=("tune",), own_answers="no", votes=1, pairs=400, judges="no", objectives=3), "reward"),  # 3 against 6
    (Needs(uses=("tune",), objectives=2), "both"),
    (Needs(uses=("tune",), objectives=1), "dpo"),
    (Needs(uses=("online",), compute="small"), "both"),  # 3 against 2
    (Needs(uses=("online",), compute="several"), "reward"),
    (Needs(uses=("rerank",), compute="small"), "reward"),
    (Needs(uses=("rerank",), votes=3, own_answers="yes", judges="yes"), "both"),  # 3 against 3
    (Needs(uses=("inspect",), judges="yes"), "both"),  # 2 against 1
    (Needs(uses=("online", "rerank", "inspect"), votes=5, judges="yes"), "reward"),  # 8 against 2
]


@pytest.mark.parametrize(("needs", "first"), TABLE)
def test_what_is_tried_first(needs: Needs, first: str) -> None:
    found = advise(needs)
    assert found.first == first
    assert any(one.startswith("assay reward") for one in found.commands) == (first in ("reward", "both"))
    assert any(one.startswith("assay dpo DATA") for one in found.commands) == (first in ("dpo", "both"))
    assert any("assay advise --reward" in one for one in found.commands) == (first == "both")


def test_every_rule_speaks_somewhere_in_the_table() -> None:
    spoken = {reason for needs, _ in TABLE for reason in reasons_for(needs)}
    assert {rule.reason for rule in RULES} == spoken


def test_reasons_that_lost_are_told_too() -> None:
    found = advise(Needs(uses=("tune",), own_answers="no"))
    assert [(one.leans, one.weight) for one in found.reasons] == [("dpo", 3), ("reward", 1)]


@pytest.mark.parametrize("needs", [needs for needs, _ in TABLE])
def test_what_turns_the_advice_is_another_choice(needs: Needs) -> None:
    found = advise(needs)
    assert all(other != found.first for _, other in found.turns)


def test_turns_are_computed_from_the_rules() -> None:
    turns = dict(advise(Needs(uses=("tune",))).turns)
    assert turns["if answers were to be reranked"] == "both"
    assert turns["if several objectives were labelled apart"] == "both"
    assert "if the pairs were the model's own answers" not in turns


def test_nothing_leans_anywhere_without_a_use() -> None:
    with pytest.raises(ConfigError, match="--use"):
        advise(Needs(pairs=1000))
    with pytest.raises(ConfigError, match="tunee"):
        Needs(uses=("tunee",))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="--pairs is 0"):
        Needs(uses=("tune",), pairs=0)


def test_sources_are_numbers_of_papers_or_say_that_there_is_none() -> None:
    for rule in RULES:
        assert re.search(r"arXiv \d{4}\.\d{5}", rule.reason.source) or rule.reason.source == "judgement, no source"


def test_few_pairs_hold_out_a_fifth() -> None:
    commands = advise(Needs(uses=tuple(USES), pairs=500)).commands
    assert sum("--holdout 100" in one for one in commands) == 2


def test_no_reason_is_no_lead_of_its_own() -> None:
    assert choice_of(reasons_for(Needs(uses=("inspect",)))) == "reward"
