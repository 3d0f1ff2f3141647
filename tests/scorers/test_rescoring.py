"""Changed answers put to a scorer: each distinct one once, prompts together, and an interrupted audit goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.records import Message
from assay.scorers import rescoring
from assay.scorers.function import FunctionScorer
from assay.scorers.protocol import Reward, Unscored
from assay.scorers.rescoring import rescore
from assay.scorers.reward_store import RewardStore

ROWS = [(f"prompt {i % 5}", f"answer {i % 40}") for i in range(200)]


class Counting:
    """Rewards by length; counts what it is asked, and stops after `most` answers where told to."""

    def __init__(self, most: int = 10**9) -> None:
        self.asked: list[tuple[str, str]] = []
        self.prompts: list[str] = []
        self.most = most

    def __call__(self, prompt, answers):
        if len(self.asked) >= self.most:
            raise KeyboardInterrupt
        self.prompts.append(prompt)
        self.asked += [(prompt, answer) for answer in answers]
        return [
            Unscored("it ends in 7") if answer.endswith("7") else len(prompt) + len(answer) / 7 for answer in answers
        ]


def scorer(function: Counting, fingerprint: str = "count/1") -> FunctionScorer:
    return FunctionScorer(function, name="count", fingerprint=fingerprint)


def test_each_row_once_and_each_prompt_at_once() -> None:
    counting = Counting()
    found = rescore(scorer(counting), ROWS, RewardStore(None, "f"))
    assert set(found) == set(ROWS)
    assert sorted(counting.asked) == sorted(set(ROWS))
    assert sorted(counting.prompts) == sorted({prompt for prompt, _ in ROWS})
    assert found["prompt 1", "answer 1"] == Reward(8 + 8 / 7)
    assert found["prompt 2", "answer 7"] == Unscored("it ends in 7")


def test_an_interrupted_audit_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 8)
    path = tmp_path / "rescored.jsonl"
    first = Counting(most=20)
    with pytest.raises(KeyboardInterrupt):
        rescore(scorer(first), ROWS, RewardStore(path, "f"))
    with path.open("ab") as stream:
        stream.write(b'{"key": "torn')  # killed in the middle of a line
    second = Counting()
    found = rescore(scorer(second), ROWS, RewardStore(path, "f"))
    assert found == rescore(scorer(Counting()), ROWS, RewardStore(None, "f"))
    assert second.asked
    assert not set(first.asked) & set(second.asked)
    third = Counting()
    assert rescore(scorer(third), ROWS, RewardStore(path, "f")) == found  # to the last bit, from the file
    assert third.asked == []


def test_another_scorer_does_not_take_its_rewards(tmp_path: Path) -> None:
    path = tmp_path / "rescored.jsonl"
    rescore(scorer(Counting()), ROWS, RewardStore(path, "f"))
    other = Counting()
    rescore(scorer(other), ROWS, RewardStore(path, "g"))
    assert sorted(other.asked) == sorted(set(ROWS))


def test_a_text_and_a_conversation_of_the_same_words_are_two_rows() -> None:
    store = RewardStore(None, "f")
    store.add({("a", "b"): Reward(1.0)})
    assert store.get(("a", (Message(role="assistant", content="b"),))) is None
    assert store.get(("a", "b")) == Reward(1.0)
