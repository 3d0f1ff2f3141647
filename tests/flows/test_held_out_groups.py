"""Whole groups for a run's own audit: recorded rewards, and the saved model's where no held-out pair has an answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.artifacts.files import write_jsonl
from assay.data.derived_drafts import drafts
from assay.flows.held_out_groups import held_out_groups
from assay.records import Candidates, Message, Pair, Text
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.protocol import Reward
from tests.support import saved_models

FOUR = ("w1", "w2 w3", "w4", "w5 w6")


def group(name: str, answers: tuple[str, ...] = FOUR, ranks: tuple[float | None, ...] = (1, 2, 3, None)) -> Candidates:
    return Candidates(id=name, prompt=f"w7 {name}", answers=answers, ranks=ranks)


def split(held: list[Pair]) -> Any:
    return SimpleNamespace(held_out=held, held_out_groups=[f"cluster {pair.prompt}" for pair in held])


def pairs_of(one: Candidates, *, prompt: Text | None = None) -> list[Pair]:
    made = [draft for draft in drafts(one, "all") if draft.unfit is None]
    return [
        Pair(id=str(d.id), prompt=prompt or one.prompt, chosen=d.left, rejected=d.right)  # type: ignore[arg-type]
        for d in made
    ]


@pytest.fixture
def trained(tmp_path: Path) -> Any:
    """A seed whose recorded rewards no model would give: 10 for the first answer, 9, 8."""
    model = saved_models.reward_model(tmp_path / "model", seed=0)
    held = pairs_of(group("a"))
    of = {answer: 10.0 - place for place, answer in enumerate(FOUR)}
    rows = [{"pair_id": p.id, "chosen": of[str(p.chosen)], "rejected": of[str(p.rejected)]} for p in held]
    write_jsonl(tmp_path / "scores.jsonl", rows)
    return SimpleNamespace(seed=0, model_folder=model, scores_path=tmp_path / "scores.jsonl")


def test_recorded_rewards_are_taken_and_only_the_rest_is_scored(trained: Any) -> None:
    one, other = group("a"), group("b")
    (found,) = held_out_groups([one, other], split(pairs_of(one)), [trained], passes=Passes())
    assert found.candidates == one
    assert found.cluster == "cluster w7 a"
    ((alone,),) = LocalScorer(trained.model_folder).score([Candidates(id="x", prompt=one.prompt, answers=(FOUR[3],))])
    assert isinstance(alone, Reward)
    assert found.rewards[0][:3] == [10.0, 9.0, 8.0]
    assert found.rewards[0][3] == pytest.approx(alone.value, abs=1e-5)


def test_groups_of_two_say_what_their_pairs_say(trained: Any) -> None:
    two = group("a", FOUR[:2], (1, 2))
    assert held_out_groups([two], split(pairs_of(two)), [trained], passes=Passes()) == []


def test_a_prompt_that_became_messages_is_known_again(trained: Any) -> None:
    one = group("a")
    turned = pairs_of(one, prompt=(Message(role="user", content=str(one.prompt)),))
    (found,) = held_out_groups([one], split(turned), [trained], passes=Passes())
    assert found.rewards[0][:3] == [10.0, 9.0, 8.0]
    assert found.cluster == f"cluster {turned[0].prompt}"
