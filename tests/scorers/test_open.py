"""What a user writes, and which scorer it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InputError, ModelNotFoundError
from assay.records import Candidates
from assay.scorers.baseline import BaselineScorer
from assay.scorers.function import FunctionScorer
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.open import as_scorer, open_scorer, open_scorers
from assay.scorers.protocol import Reward, Scorer
from assay.scorers.recorded import RecordedScorer


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder of three seeds, as far as opening looks."""
    for seed in (10, 2, 0):
        (tmp_path / "run" / f"seed-{seed}" / "model").mkdir(parents=True)
    return tmp_path / "run"


def kind(scorer: Scorer) -> tuple[type, str]:
    return type(scorer), scorer.name


def test_by_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("scores.jsonl", "plain"):
        (tmp_path / name).write_text('{"pair_id": "a", "chosen": 1, "rejected": 0}\n')
    (tmp_path / "model").mkdir()
    assert kind(open_scorer("scores.jsonl")) == (RecordedScorer, "scores.jsonl")
    assert kind(open_scorer("plain")) == (RecordedScorer, "plain")
    assert kind(open_scorer("recorded:scores.jsonl")) == (RecordedScorer, "scores.jsonl")
    assert kind(open_scorer("model")) == (LocalScorer, "model")
    assert kind(open_scorer(tmp_path / "model")) == (LocalScorer, str(tmp_path / "model"))
    assert kind(open_scorer("local:model")) == (LocalScorer, "model")
    assert kind(open_scorer("someone/a-reward-model")) == (LocalScorer, "someone/a-reward-model")
    assert kind(open_scorer("baseline:shortest")) == (BaselineScorer, "baseline:shortest")
    (tmp_path / "a:b").mkdir()
    assert kind(open_scorer("a:b")) == (LocalScorer, "a:b")


def test_what_cannot_be_opened_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no scorer of kind 'oracle'. Kinds: baseline:\.\.\., judge:\.\.\., local:"):
        open_scorer("oracle:gpt")
    with pytest.raises(InputError, match=r"no such baseline\. There are longest, "):
        open_scorer("baseline:best")
    for missing in (tmp_path / "none.jsonl", f"recorded:{tmp_path / 'none'}"):
        with pytest.raises(InputError, match="no such file"):
            open_scorer(missing)
    with pytest.raises(ModelNotFoundError, match="no such folder"):
        _ = open_scorer(str(tmp_path / "none")).fingerprint


def test_a_run_is_a_scorer_for_each_seed(run: Path) -> None:
    found = open_scorers(run)
    assert {seed: scorer.name for seed, scorer in found.items()} == {
        seed: str(run / f"seed-{seed}" / "model") for seed in (0, 2, 10)
    }
    assert list(found) == [0, 2, 10]
    with pytest.raises(InputError, match=r"a run of 3 seeds, each a scorer of its own.*seed-0/model"):
        open_scorer(run)
    assert open_scorer(run / "seed-2" / "model").name.endswith("seed-2/model")


def test_a_run_of_one_seed_is_one_scorer(tmp_path: Path) -> None:
    (tmp_path / "seed-3" / "model").mkdir(parents=True)
    assert open_scorer(tmp_path).name == str(tmp_path / "seed-3" / "model")


def test_passes_are_a_model_s(run: Path) -> None:
    passes = Passes(micro_tokens=128, sharing="off")
    for scorer in (*open_scorers(run, passes=passes).values(), open_scorer("local:m", passes=passes)):
        assert isinstance(scorer, LocalScorer)
        assert scorer.passes == passes
    with pytest.raises(InputError, match="baseline:longest is no model, so nothing of it is run"):
        open_scorer("baseline:longest", passes=passes)
    assert open_scorer("baseline:longest", passes=Passes()).name == "baseline:longest"


def test_what_may_stand_for_a_scorer(run: Path) -> None:
    scorer = open_scorer("baseline:longest")
    assert as_scorer(scorer) is scorer
    assert as_scorer("baseline:longest") == scorer
    rule = as_scorer(lambda prompt, answers: map(len, answers))  # type: ignore[arg-type]
    assert isinstance(rule, FunctionScorer)
    assert rule.score([Candidates(id="a", prompt="p", answers=("x", "xyz"))]) == [(Reward(1.0), Reward(3.0))]
    with pytest.raises(InputError, match="A int is no scorer"):
        as_scorer(3)  # type: ignore[arg-type]
    # Looking at a scorer asks no fingerprint: that of a model takes seconds, or a network.
    lazy = LocalScorer(run / "none")
    assert as_scorer(lazy) is lazy
