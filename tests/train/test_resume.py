"""Killed at any moment and started again: the same weights, bit for bit, and each step once in metrics.jsonl."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import read_jsonl, sha256_file
from assay.errors import ArtifactError
from assay.train import train_reward
from tests.support import killing, tiny_policy
from tests.support import tiny_bases as tiny

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("one_thread")


def silent(_: object) -> None:
    pass


@pytest.mark.slow
@pytest.mark.parametrize("method", ["reward", "dpo"])
def test_killed_by_sigkill_it_ends_with_the_same_weights(tmp_path: Path, method: str) -> None:
    base = tmp_path / "base"
    if method == "reward":
        tiny.base(base)  # dropout 0.1: random states matter
    else:
        tiny_policy.policy(base)
    killing.train(tmp_path / "whole", base)
    command = [sys.executable, "-m", "tests.support.killing", str(tmp_path / "killed"), str(base), "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout.splitlines()[-1])
    assert kills["writing a checkpoint"] >= 2
    assert kills["some moment"] >= 1
    assert kills["saving the model"] + kills["after the model"] >= 1
    assert kills["never"] == 0

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    weights = "model/model.safetensors"
    assert sha256_file(whole / weights) == sha256_file(killed / weights)
    assert (whole / "scores.jsonl").read_bytes() == (killed / "scores.jsonl").read_bytes()
    rows, again = list(read_jsonl(whole / "metrics.jsonl")), list(read_jsonl(killed / "metrics.jsonl"))
    assert [row["step"] for row in again] == list(range(1, 40))  # ceil(42/4) = 11 a epoch, ceil(3.5 * 11) = 39
    timed = {"seconds", "pairs_per_second"}
    assert [{k: v for k, v in row.items() if k not in timed} for row in again] == [
        {k: v for k, v in row.items() if k not in timed} for row in rows
    ]
    assert not list(killed.glob("checkpoint-*"))
    assert not list(killed.glob(".*"))


class StopHere(Exception):
    """Raised from the progress callback, as an interrupt would be."""


def stop_at(step: int) -> Any:
    def progress(now: Any) -> None:
        if now.stage == "train" and now.step == step:
            raise StopHere

    return progress


def test_a_checkpoint_of_another_experiment_is_refused(tmp_path: Path) -> None:
    base, out = tiny.base(tmp_path / "base"), tmp_path / "seed-0"
    data, held_out, recipe = tiny.pairs(24), tiny.pairs(6, seed=1), tiny.quick(base)
    with pytest.raises(StopHere):
        train_reward(data, held_out, seed=0, out=out, progress=stop_at(4), **recipe)
    assert (out / "checkpoint-3").exists()
    other_base = tiny.base(tmp_path / "other", seed=1)
    others: list[tuple[str, Any, Any, int]] = [
        ("train.epochs was 2.0, is 3.0", tiny.quick(base, epochs=3), data, 0),
        ("data.train", recipe, data[::-1], 0),
        ("base", {**recipe, "model": tiny.quick(other_base)["model"]}, data, 0),
        ("seed was 0, is 1", recipe, data, 1),
    ]
    for named, changed, pairs, seed in others:
        with pytest.raises(ArtifactError, match=named):
            train_reward(pairs, held_out, seed=seed, out=out, progress=silent, **changed)
    # what changes no weight may differ
    done = train_reward(data, held_out, seed=0, out=out, progress=silent, **tiny.quick(base, save_every=2))
    assert [row["step"] for row in read_jsonl(done.metrics_path)] == list(range(1, 7))


def test_a_finished_seed_is_not_trained_again(tmp_path: Path) -> None:
    base, out = tiny.base(tmp_path / "base"), tmp_path / "seed-0"
    data, held_out = tiny.pairs(16), tiny.pairs(6, seed=1)
    first = train_reward(data, held_out, seed=0, out=out, progress=silent, **tiny.quick(base))
    written = (out / "train.json").stat().st_mtime_ns
    steps: list[object] = []
    assert train_reward(data, held_out, seed=0, out=out, progress=steps.append, **tiny.quick(base)) == first
    assert not steps
    assert (out / "train.json").stat().st_mtime_ns == written
    with pytest.raises(ArtifactError, match=r"train.learning_rate was 0.003, is 0.1"):
        train_reward(data, held_out, seed=0, out=out, progress=silent, **tiny.quick(base, learning_rate=0.1))
    (first.model_folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ArtifactError, match="is not what this seed wrote"):
        train_reward(data, held_out, seed=0, out=out, progress=silent, **tiny.quick(base))
