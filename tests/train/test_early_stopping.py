"""Early stopping: by a slice of its own, with the best weights that were seen, and the same after a kill anywhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.artifacts.files import read_jsonl
from assay.artifacts.stopping_body import StoppingBody
from assay.artifacts.train_body import TrainBody
from assay.errors import ArtifactError, ConfigError
from assay.records import Pair
from assay.rewards.reward_model import RewardModel
from assay.train import train_reward
from assay.train.config import StoppingConfig
from assay.train.early_stopping import BestSoFar
from tests.support import tiny_bases as tiny

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))  # with dropout: the state of random numbers matters


def mixed() -> list[Pair]:
    """Two labels right for one that is wrong: a reward that grows too sure of itself loses more and more on these."""
    pairs = tiny.pairs(18, seed=5)
    return [pair.swapped() if number % 3 == 0 else pair for number, pair in enumerate(pairs)]


def recipe(base: Path, **changes: Any) -> dict[str, Any]:
    settings = {"epochs": 12, "eval_every": 2, "save_every": 3, "learning_rate": 2e-2, **changes}
    return {**tiny.quick(base, **settings), "stopping": StoppingConfig(patience=3), "validation": mixed()}


def train(base: Path, out: Path, progress: Callable[[Any], None] = lambda _: None) -> TrainBody:
    train_reward(tiny.pairs(24), tiny.pairs(6, seed=1), seed=0, out=out, progress=progress, **recipe(base))
    return TrainBody.read(out / "train.json")


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "seed-0"
    train(base, out)
    return out


def test_it_stops_and_the_model_is_the_best_that_was_seen(whole: Path) -> None:
    body = TrainBody.read(whole / "train.json")
    stopping = body.stopping
    assert stopping is not None
    losses = dict(stopping.losses)
    assert list(losses) == list(range(2, body.steps + 1, 2))
    assert body.steps < 36  # 3 steps an epoch, 12 epochs
    best = stopping.best_step
    assert best is not None
    assert losses[best] == min(loss for loss in losses.values() if loss is not None)
    assert body.steps == best + 3 * 2
    assert best > 2  # it did learn before it grew too sure, or nothing is shown here
    rows = {int(row["step"]): row for row in read_jsonl(whole / "metrics.jsonl")}  # type: ignore[call-overload]
    assert len(rows) == body.steps
    assert rows[best]["validation_loss"] == losses[best]
    # the saved model has that loss on the slice: it is not the model of the last step
    model = RewardModel.load(whole / "model")
    slice_of = mixed()
    rewards = model.score([model.encode(p.prompt, text) for p in slice_of for text in (p.chosen, p.rejected)])
    margin = torch.tensor(rewards[::2] - rewards[1::2])
    assert float(torch.nn.functional.softplus(-margin).mean()) == pytest.approx(losses[best], abs=1e-4)
    assert not list(whole.glob("best.*"))
    assert not list(whole.glob("checkpoint-*"))


class StopHere(Exception):
    """As an interrupt would be."""


def same(one: Path, other: Path) -> None:
    for name in ("model/model.safetensors", "scores.jsonl"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    bodies = [TrainBody.read(folder / "train.json") for folder in (one, other)]
    assert bodies[0].stopping == bodies[1].stopping
    assert bodies[0].steps == bodies[1].steps


@pytest.mark.parametrize("before_the_end", [0, 1, 5])
def test_interrupted_it_ends_with_the_same_bits(before_the_end: int, whole: Path, base: Path, tmp_path: Path) -> None:
    """At the last step, where it has been decided; one before; and where no checkpoint has the best yet."""
    last = TrainBody.read(whole / "train.json").steps - before_the_end

    def progress(now: Any) -> None:
        if now.stage == "train" and now.step == last:
            raise StopHere

    out = tmp_path / "seed-0"
    with pytest.raises(StopHere):
        train(base, out, progress)
    train(base, out)
    same(whole, out)


def test_killed_while_it_saves_it_goes_on_from_a_checkpoint_where_all_was_decided(base: Path, tmp_path: Path) -> None:
    """With a checkpoint at every step, the last one is of the step at which it stopped: no step more is made."""

    def run(out: Path, progress: Callable[[Any], None] = lambda _: None) -> None:
        train_reward(tiny.pairs(24), [], out=out, progress=progress, **recipe(base, save_every=1))

    def stop_saving(now: Any) -> None:
        if now.stage == "save":
            raise StopHere

    run(tmp_path / "whole")
    with pytest.raises(StopHere):
        run(tmp_path / "killed", stop_saving)
    run(tmp_path / "killed")
    same(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_killed_by_sigkill_it_ends_with_the_same_bits(whole: Path, base: Path, tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, torch\n"
        "from pathlib import Path\n"
        "from tests.train.test_early_stopping import train\n"
        "torch.set_num_threads(1)\n"
        "def kill(now):\n"
        "    if now.stage == 'train' and now.step == 7:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "train(Path(sys.argv[1]), Path(sys.argv[2]), kill)\n"
    )
    command = [sys.executable, "-c", script, str(base), str(tmp_path / "seed-0")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (tmp_path / "seed-0" / "checkpoint-6" / "stopping.json").exists()
    train(base, tmp_path / "seed-0")
    same(whole, tmp_path / "seed-0")


def test_patience_counts_evaluations_since_the_best(tmp_path: Path) -> None:
    best = BestSoFar(tmp_path, patience=2)
    steps = [(1, 0.7), (2, 0.6), (3, 0.6), (4, float("nan")), (5, 0.5)]
    seen = [(best.see(*one), best.exhausted) for one in steps]
    assert seen == [(True, False), (True, False), (False, False), (False, True), (True, False)]
    assert best.best == (5, 0.5)
    best.keep({"w": torch.ones(2)})
    (tmp_path / "checkpoint").mkdir()
    best.copy_into(tmp_path / "checkpoint")
    best.keep({"w": torch.zeros(2)})
    other = BestSoFar(tmp_path, patience=2)
    other.restore(tmp_path / "checkpoint", writes=True)
    assert (other.best, len(other.seen)) == ((5, 0.5), 5)
    assert (tmp_path / "best.safetensors").read_bytes() == (tmp_path / "checkpoint/best.safetensors").read_bytes()
    assert StoppingBody.read(tmp_path / "checkpoint/stopping.json").best_step == 5


def test_the_slice_and_the_patience_are_asked_for_together_and_are_the_experiment(
    whole: Path, base: Path, tmp_path: Path
) -> None:
    lonely = recipe(base)
    del lonely["validation"]
    with pytest.raises(ConfigError, match="need each other"):
        train_reward(tiny.pairs(8), [], out=tmp_path / "s", **lonely)
    other = {**recipe(base), "validation": mixed()[::-1]}
    with pytest.raises(ArtifactError, match=r"data\.validation"):
        train_reward(tiny.pairs(24), tiny.pairs(6, seed=1), out=whole, progress=lambda _: None, **other)
