"""A script for torchrun: train tiny rewards and policies over the processes there are. Usage: ... FOLDER BASES KILLED.

How weights are held stands in the environment, as `accelerate launch` puts it there. KILLED: a folder of what killed
trainings of other processes left, which these go on from; or the number of a step at which the second process dies.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from assay.models.config import ModelConfig
from assay.train import train_reward
from assay.train.config import StoppingConfig
from assay.train.dpo.config import DpoConfig, PolicyModelConfig, PolicyTrainConfig, WatchConfig
from assay.train.dpo.train_dpo import train_dpo
from assay.train.loop import ObjectiveTrainer
from assay.train.progress import Progress
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy

KINDS = ("reward", "encoder", "lora", "stopped", "dpo")
# Passes of 60 tokens: in some steps one process has more of them than the other; and the last batch has one pair.
OPTIONS = {"epochs": 2.0, "batch_pairs": 6, "max_grad_norm": 0.05, "micro_tokens": 60, "save_every": 3}


def bases(folder: Path) -> None:
    """Random bases, one for each kind of training."""
    for kind in ("llama", "bert"):
        tiny.base(folder / kind, kind, dropout=0.0)
    tiny_policy.policy(folder / "policy", tied=True)  # as SmolLM2 and most small models are


def train(kind: str, out: Path, folder: Path) -> None:
    """Train into `out`, and leave in `out`-killed what a kill in the fifth step would have left."""
    torch.set_num_threads(1)
    pairs, held_out, told = tiny.pairs(25), tiny.pairs(7, seed=1), kept_as_killed(out)
    if kind == "dpo":
        train_dpo(
            pairs,
            held_out,
            seed=0,
            out=out,
            progress=told,
            model=PolicyModelConfig(base=str(folder / "policy"), max_tokens=60),
            dpo=DpoConfig(rpo_alpha=0.5),  # its term weighs an answer by the tokens of the whole batch
            watch=WatchConfig(fresh=2, max_new_tokens=4),
            config=PolicyTrainConfig.build({**OPTIONS, "learning_rate": 3e-3, "precision": "float32"}),
        )
        return
    more = {"eval_every": 2, "gradient_checkpointing": "on"} if kind == "stopped" else {}
    recipe = tiny.quick(folder / ("bert" if kind == "encoder" else "llama"), **OPTIONS, **more)
    if kind == "stopped":  # its model is the best that was seen, and not the last
        recipe |= {"stopping": StoppingConfig(patience=1), "validation": tiny.pairs(6, seed=2)}
    if kind == "lora":
        recipe["model"] = ModelConfig(base=str(folder / "llama"), max_tokens=64, tuning="lora", lora_dropout=0.0)
    train_reward(pairs, held_out, seed=0, out=out, progress=told, **recipe)


def kept_as_killed(out: Path) -> Callable[[Progress], None]:
    def told(progress: Progress) -> None:
        killed = out.with_name(f"{out.name}-killed")
        if progress.stage == "train" and progress.step == 5 and not killed.exists():
            shutil.copytree(out, killed)

    return told


def dying(step: int) -> None:
    """Have the second process killed in the middle of a step."""
    whole_step = ObjectiveTrainer.training_step

    def training_step(self: ObjectiveTrainer, *arguments: object) -> torch.Tensor:
        if self.args.process_index == 1 and self.state.global_step + 1 == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole_step(self, *arguments)  # type: ignore[arg-type]

    ObjectiveTrainer.training_step = training_step  # type: ignore[method-assign]


if __name__ == "__main__":
    root, given, killed = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if killed.isdigit():
        dying(int(killed))
        train("reward", root / "reward", given)
    else:
        for name in KINDS:
            train(name, root / name, given)
            if (root / f"{name}-from-one").is_dir():
                train(name, root / f"{name}-from-one", given)
