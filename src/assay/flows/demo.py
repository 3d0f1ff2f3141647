"""The demo: the reward flow on a simulated support desk, on the smallest base of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.flows.reward import RewardRun, run_reward
from assay.simulate.support import support
from assay.train.reward_config import RewardConfig

HELD_OUT_SHARE = 5  # one pair in five is held out


def run_demo(
    out: Path, *, pairs: int, seed: int, command: str, notify: Callable[[str], None] = lambda _line: None
) -> RewardRun:
    """Simulate `pairs` pairs into `out`.jsonl beside the run folder and run the reward flow on them."""
    data = out.with_name(f"{out.name}-pairs.jsonl")
    simulation = support(pairs, seed=seed)
    simulation.write(data)
    notify(f"simulated  {pairs:,} labelled pairs of a support desk: {data} ({sha256_file(data)[:19]})")
    config = RewardConfig.build(
        {
            "split": {"holdout": pairs // HELD_OUT_SHARE, "seed": seed},
            "model": {"base": "minilm", "max_tokens": 256},
            "train": {"epochs": 2.0, "learning_rate": 1e-4},
        }
    )
    return run_reward(str(data), out, config=config, command=command, notify=notify)
