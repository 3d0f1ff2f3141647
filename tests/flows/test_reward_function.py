"""A run's reward inside a trainer: the rewards of `assay score`, behind the gate, as TRL calls them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.errors import InputError
from assay.records import Candidates, Message
from tests.support.gated_run import FAILS, decide, gated_run
from tests.support.saved_models import LONG

PROMPTS = ["May I?", "How do I get a refund?", "May I?", "May I?", "How do I get a refund?"]
ANSWERS = ["Yes.", "Press refund.", "No.", "Please ask the shop.", "You cannot."]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gated_run(tmp_path_factory.mktemp("gated"))


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gated_run(tmp_path_factory.mktemp("failed"), criterion=FAILS)


@pytest.fixture(scope="module")
def expected(run: Path) -> list[float]:
    """What `assay score` gives the same rows."""
    groups = [
        Candidates(id=text, prompt=text, answers=(answer,)) for text, answer in zip(PROMPTS, ANSWERS, strict=True)
    ]
    rewards = [one.value for (one,) in assay.score(str(run), groups) if isinstance(one, assay.Reward)]
    assert len({round(value, 4) for value in rewards}) == len(PROMPTS)
    return rewards


def chats(texts: list[str], role: str) -> list[list[dict[str, str]]]:
    return [[{"role": role, "content": text}] for text in texts]


def test_rewards_are_those_of_assay_score(run: Path, expected: list[float]) -> None:
    reward = assay.reward_function(run)
    assert reward(PROMPTS, ANSWERS) == pytest.approx(expected, abs=1e-5)
    talked = reward(
        prompts=chats(PROMPTS, "user"), completions=chats(ANSWERS, "assistant"), completion_ids=[[1]] * 5,
        trainer_state=None, category=["tone"] * 5,
    )  # fmt: skip
    assert talked == pytest.approx(expected, abs=1e-5)
    assert reward(PROMPTS[3:], ANSWERS[3:]) == pytest.approx(expected[3:], abs=1e-5)


def test_completions_of_one_prompt_are_one_group(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reward = assay.reward_function(run)
    seen: list[list[Candidates]] = []
    whole = type(reward.gated.scorer).score
    monkeypatch.setattr(
        type(reward.gated.scorer), "score", lambda self, groups: seen.append(list(groups)) or whole(self, groups)
    )
    reward(PROMPTS, ANSWERS)
    assert [(group.prompt, len(group.answers)) for call in seen for group in call] == [
        ("May I?", 3), ("How do I get a refund?", 2),
    ]  # fmt: skip
    assert len(seen) == 1


def test_what_cannot_be_scored_is_none_and_said_once(
    run: Path, expected: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    told: dict[str, float] = {}
    reward = assay.reward_function(run)
    calls = [[{"role": "assistant", "content": "", "tool_calls": [{"name": "refund"}]}]]
    for _ in range(2):
        found = reward(
            ["May I?"] * 3 + chats(["May I?"], "user"), ["Yes.", LONG, " ", *calls], log_metric=told.__setitem__
        )
        assert found == [pytest.approx(expected[0], abs=1e-5), None, None, None]
    assert told == {"assay_run/unscored": 0.75}
    said = [record.getMessage() for record in caplog.records if "no reward" in record.getMessage()]
    for part in ("tool_calls", "the model reads 128", "empty"):
        assert sum(part in line for line in said) == 1
    assert len(said) == 3


def test_what_is_no_text_costs_no_other_its_reward(run: Path, expected: list[float]) -> None:
    reward = assay.reward_function(run)
    strange = ["half \ud800", None, [], [{}], 7, [{"role": "assistant", "content": None}], "", float("nan")]
    halved = [{"role": "assistant", "content": "half \udc00"}]
    found = reward(["May I?"] * 11, ["Yes.", *strange, halved, "Yes."])
    assert found == [pytest.approx(expected[0], abs=1e-5), *[None] * 9, pytest.approx(expected[0], abs=1e-5)]
    assert reward(["half \ud800", None, []], ["Yes."] * 3) == [None] * 3
    assert reward([], []) == []


def test_async_is_the_same_and_what_trl_takes_for_async(run: Path, expected: list[float]) -> None:
    reward = assay.reward_function(run, calls="async")
    assert inspect.iscoroutinefunction(reward.__call__)
    assert not inspect.iscoroutinefunction(assay.reward_function(run).__call__)

    async def twice() -> list[Any]:
        return await asyncio.gather(reward(PROMPTS, ANSWERS), reward(PROMPTS[:2], ANSWERS[:2]))

    both, first = asyncio.run(twice())
    assert both == pytest.approx(expected, abs=1e-5)
    assert first == pytest.approx(expected[:2], abs=1e-5)


def test_a_reward_that_failed_is_refused_or_says_so(failed: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match=rf"failed it: {FAILS}.*ungated=True"):
        assay.reward_function(failed)
    reward = assay.reward_function(failed, ungated=True)
    assert reward.__name__ == "assay_run_ungated"
    assert "given out ungated; the gate of" in caplog.text


def test_a_reward_that_passed_says_that(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert assay.reward_function(run / "seed-0" / "model").__name__ == "assay_run"
    assert "passed it" in caplog.text


def test_what_is_no_run_has_no_gate() -> None:
    with pytest.raises(InputError, match=r"baseline:longest is no run of assay.*ungated=True"):
        assay.reward_function("baseline:longest")
    reward = assay.reward_function("baseline:longest", ungated=True)
    assert reward.__name__ == "assay_baseline_longest_ungated"
    assert reward(["p", "p"], ["aa", "a"]) == [2.0, 1.0]


def test_recorded_scores_are_of_no_prompt_that_a_trainer_sends(tmp_path: Path) -> None:
    """They are found by a name, and trainers send none: the first prompt of a batch got those of the row called 0."""
    (tmp_path / "scores.jsonl").write_text('{"id": "0", "scores": [3.0, 2.0]}\n')
    reward = assay.reward_function(f"recorded:{tmp_path / 'scores.jsonl'}", ungated=True)
    with pytest.raises(InputError, match="has no score for 1 of 1"):
        reward(["p", "p"], ["a", "b"])


def test_a_run_of_several_seeds_is_asked_for_one(tmp_path: Path) -> None:
    run = gated_run(tmp_path, seeds=2)
    with pytest.raises(InputError, match=r"2 seeds \(0, 1\)"):
        assay.reward_function(run)
    with pytest.raises(InputError, match="no model of seed 4"):
        assay.reward_function(run, seed=4)
    assert assay.reward_function(run, seed=1).__name__ == "assay_run_1"


def test_a_worker_opens_its_own_behind_the_same_gate(tmp_path: Path) -> None:
    run = gated_run(tmp_path)
    reward = assay.reward_function(run)
    before = reward(PROMPTS, ANSWERS)
    sent = pickle.dumps(reward)
    assert len(sent) < 2000
    assert pickle.loads(sent)(PROMPTS, ANSWERS) == before
    decide(run, FAILS)
    with pytest.raises(InputError, match="failed it"):
        pickle.loads(sent)(PROMPTS, ANSWERS)


def test_prompts_and_completions_must_be_as_many(run: Path) -> None:
    with pytest.raises(InputError, match="2 prompts and 1 completions"):
        assay.reward_function(run)(["a", "b"], ["c"])


def test_messages_of_assay_itself_are_read(run: Path, expected: list[float]) -> None:
    found = assay.reward_function(run)([(Message(role="user", content="May I?"),)], ["Yes."])
    assert found == pytest.approx(expected[:1], abs=1e-5)
