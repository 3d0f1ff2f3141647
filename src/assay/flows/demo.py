"""The demo: the reward flow on a simulated support desk, on the smallest base of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.data import read_pairs
from assay.flows.reward import RewardRun, run_reward
from assay.simulate.support import support
from assay.train.reward_config import RewardConfig
from assay.train.time_estimate import seconds_to_train

HELD_OUT_SHARE = 5  # one pair in five is held out
AROUND_TRAINING = 10.0  # seconds of reading, rendering, audit and report, on two cores
_RECIPE = {
    "model": {"base": "minilm", "max_tokens": 256},
    # One short look at the data: small batches, and a head that begins at random learns faster than its trunk.
    "train": {"epochs": 1.0, "batch_pairs": 16, "learning_rate": 1e-4, "head_learning_rate": 1e-3},
}


def run_demo(
    out: Path, *, pairs: int, seed: int, command: str, notify: Callable[[str], None] = lambda _line: None
) -> RewardRun:
    """Simulate `pairs` pairs into `out`.jsonl beside the run folder and run the reward flow on them.

    Before a new run it says how long it will take, measured on this machine; a run that goes on shows its own time.
    """
    data = out.with_name(f"{out.name}-pairs.jsonl")
    simulation = support(pairs, seed=seed)
    simulation.write(data)
    notify(f"simulated  {pairs:,} labelled pairs of a support desk: {data} ({sha256_file(data)[:19]})")
    config = RewardConfig.build({"split": {"holdout": pairs // HELD_OUT_SHARE, "seed": seed}, **_RECIPE})
    if not out.exists():
        notify(f"time       about {spoken(seconds_in_all(data, config))}, if the machine stays as busy as it is now")
    return run_reward(str(data), out, config=config, command=command, notify=notify)


def seconds_in_all(data: Path, config: RewardConfig) -> float:
    """Seconds of the whole flow on these pairs, from two steps of training timed here and now."""
    usable = read_pairs(str(data)).pairs
    holdout = config.split.holdout
    assert isinstance(holdout, int)
    train = usable[: len(usable) - holdout]
    trained = seconds_to_train(train, held_out=holdout, model=config.model, loss=config.loss, config=config.train)
    return trained + AROUND_TRAINING


def spoken(seconds: float) -> str:
    """A length of time as one says it: `40 s`, `4 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{max(round(seconds, -1), 10):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
