"""The loop takes another method as it takes rewards: a toy DPO trains, evaluates, is killed, goes on and is saved."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from assay import train
from assay.artifacts.files import read_jsonl, sha256_file
from assay.artifacts.train_body import TrainBody
from assay.errors import ArtifactError
from assay.train import TrainResult
from assay.train.config import TrainConfig
from tests.support import tiny_bases as tiny
from tests.support.toy_dpo import policy, train_dpo
from tests.train.test_resume import StopHere, silent, stop_at

pytestmark = pytest.mark.usefixtures("one_thread")
WEIGHTS = Path("model") / "model.safetensors"
PAIRS, HELD_OUT = tiny.pairs(40), tiny.pairs(10, seed=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy(tmp_path_factory.mktemp("policy"))


def run(base: Path, out: Path, *, progress: Callable[[Any], None] = silent, **changes: Any) -> TrainResult:
    config: TrainConfig = tiny.quick(base, epochs=2, **changes)["config"]
    return train_dpo(PAIRS, HELD_OUT, base=base, out=out, config=config, progress=progress)


def test_a_second_method_learns_evaluates_and_is_saved(base: Path, tmp_path: Path) -> None:
    result = run(base, tmp_path, learning_rate=1e-2)
    assert result.held_out_accuracy is not None
    assert result.held_out_accuracy > 0.8  # its implicit rewards prefer "good" to "bad"
    rows = list(read_jsonl(result.metrics_path))
    assert [row["step"] for row in rows] == list(range(1, 11))
    assert rows[0]["loss"] == pytest.approx(0.6931, abs=1e-3)  # policy and reference are one: log 2
    assert rows[-1]["held_out_accuracy"] == result.held_out_accuracy
    assert [row["pair_id"] for row in read_jsonl(result.scores_path)] == [pair.id for pair in HELD_OUT]
    body = TrainBody.read(tmp_path / "train.json")
    assert (body.pairs, body.held_out["n"]) == (40, 10)
    assert body.self_checks["reload_equal"].passed
    before, after = load_file(base / "model.safetensors"), load_file(tmp_path / WEIGHTS)
    assert before.keys() == after.keys()
    assert any((before[name] != after[name]).any() for name in before)


def test_it_goes_on_where_it_stopped_with_the_same_bits(base: Path, tmp_path: Path) -> None:
    whole = run(base, tmp_path / "whole")
    with pytest.raises(StopHere):
        run(base, tmp_path / "killed", progress=stop_at(5))
    assert (tmp_path / "killed" / "checkpoint-3").is_dir()
    with pytest.raises(ArtifactError, match=r"train.learning_rate"):
        run(base, tmp_path / "killed", learning_rate=0.5)
    again = run(base, tmp_path / "killed")
    assert sha256_file(tmp_path / "whole" / WEIGHTS) == sha256_file(tmp_path / "killed" / WEIGHTS)
    assert whole.scores_path.read_bytes() == again.scores_path.read_bytes()
    assert not list((tmp_path / "killed").glob("checkpoint-*"))
    assert run(base, tmp_path / "killed") == again  # finished: nothing is trained again


@pytest.mark.parametrize("name", ["loop", "callbacks", "seed_run", "objective", "batches", "metrics", "checkpoint"])
def test_what_is_for_every_method_imports_none(name: str) -> None:
    """No pair, no reward, no target: what the loop knows of a method stands in Objective."""
    tree = ast.parse((Path(train.__file__).parent / f"{name}.py").read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {f"{node.module}.{alias.name}" for node in found for alias in node.names}
    methods = ("assay.records", "assay.rewards", "assay.train.reward", "assay.train.pair_", "assay.train.losses")
    assert not [one for one in imported if one.startswith(methods)]
