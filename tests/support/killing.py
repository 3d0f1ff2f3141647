"""A script: train a tiny seed in a child process, SIGKILL it at chosen moments, start again, until it finishes.

It imports once and forks per start, so that many kills cost little; each child is a real process and each kill real.
Usage: python -m tests.support.killing OUT BASE SEED. Prints how many kills of each kind happened.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from assay.train import train_reward
from assay.train.checkpoint import SEAL
from tests.support import tiny_bases as tiny

STEPS_SETTINGS = {"epochs": 3.5, "batch_pairs": 4, "save_every": 3}


def train(out: Path, base: Path) -> None:
    """A reward model, or a policy where the base is a language model with a template."""
    torch.set_num_threads(1)
    if (base / "chat_template.jinja").exists():
        tune(out, base)
        return
    recipe = tiny.quick(base, **STEPS_SETTINGS)
    train_reward(tiny.pairs(42), tiny.pairs(10, seed=1), seed=0, out=out, progress=lambda _: None, **recipe)


def tune(out: Path, base: Path) -> None:
    from assay.train.dpo.train_dpo import train_dpo
    from tests.support import tiny_policy

    config = tiny_policy.quick(base, train=STEPS_SETTINGS, watch={"fresh": 2, "max_new_tokens": 4})
    train_dpo(
        tiny.pairs(42),
        tiny.pairs(10, seed=1),
        out=out,
        progress=lambda _: None,
        model=config.model,
        watch=config.watch,
        config=config.train,
    )


def writing_checkpoint(out: Path, before: set[str]) -> bool:
    """A checkpoint folder is there that is not yet sealed."""
    new = [path for path in out.glob("checkpoint-*") if path.name not in before]
    return any(not (path / SEAL).exists() for path in new)


def saving_model(out: Path, before: set[str]) -> bool:
    return (out / ".model.tmp").exists()


def before_the_end(out: Path, before: set[str]) -> bool:
    return (out / "model").exists()


MOMENTS: dict[str, Callable[[Path, set[str]], bool]] = {
    "writing a checkpoint": writing_checkpoint,
    "saving the model": saving_model,
    "after the model": before_the_end,
}


def start(out: Path, base: Path) -> int:
    child = os.fork()
    if not child:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            train(out, base)
        os._exit(0)
    return child


def kill_when(child: int, due: Callable[[], bool]) -> bool:
    """SIGKILL the child once `due`; False if it ended by itself before."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the child failed with status {status}"
            return False
        if due():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.0002)


def main(out: Path, base: Path, seed: int) -> None:
    draw, kills = random.Random(seed), Counter[str]()
    plan = ["writing a checkpoint", "some moment", "writing a checkpoint", "some moment"]
    plan += ["saving the model", "after the model", "never"]
    for kind in plan:
        before = {path.name for path in out.glob("checkpoint-*")} if out.exists() else set()
        end = time.monotonic() + draw.uniform(0.1, 0.5)
        late = draw.uniform(0, 0.002)
        child = start(out, base)

        def due(kind: str = kind, end: float = end, late: float = late, before: set[str] = before) -> bool:
            if kind in MOMENTS and MOMENTS[kind](out, before):
                time.sleep(late)
                return True
            return kind == "some moment" and time.monotonic() > end

        kills[kind] += kill_when(child, due)
    print(json.dumps(kills))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
