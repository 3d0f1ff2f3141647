"""Tokens a second of training minilm on synthetic pairs: assay's trainer against a bare torch loop of the same work.

Both run the same optimiser batches of equal lengths (so that no padding differs), forward, backward, clipping and fused
AdamW; the trainer also computes and writes its figures. Both are timed by processor seconds of the process over its
threads, which a busy machine disturbs less than the clock. Usage: python benchmarks/bench_training.py [--base minilm]
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from assay.artifacts.files import read_jsonl
from assay.models.config import ModelConfig
from assay.records import Pair
from assay.rewards.reward_model import RewardModel
from assay.stats.draws import stream
from assay.train import train_reward
from assay.train.batches import Batches, tokens_of
from assay.train.config import LossConfig, TrainConfig
from assay.train.losses.preference import bradley_terry_loss
from assay.train.optimiser import adamw
from assay.train.pair_examples import PairExample, pair_examples
from assay.train.reward_checks import head_parameters

BATCH = 32
NOUNS = [
    "order",
    "invoice",
    "parcel",
    "refund",
    "account",
    "letter",
    "battery",
    "charger",
    "jacket",
    "window",
    "garden",
    "river",
    "music",
    "winter",
]


def seconds() -> float:
    """Processor seconds of this process, over the threads that torch uses."""
    return time.process_time() / torch.get_num_threads()


def pairs(count: int, words: int) -> list[Pair]:
    draw = stream(0, "bench")

    def text(n: int) -> str:
        return " ".join(draw.choice(NOUNS, size=n))

    return [
        Pair(id=str(i), prompt=text(words // 2), chosen=text(words - words // 2), rejected=text(words - words // 2))
        for i in range(count)
    ]


def bare(examples: list[PairExample], *, base: str, precision: str) -> Iterator[float]:
    """Seconds of each step of a loop that does nothing but train."""
    torch.manual_seed(0)
    reward_model = RewardModel.from_base(ModelConfig(base=base))
    reward_model.model.train()
    optimiser = adamw(reward_model.model, TrainConfig(), head=head_parameters(reward_model.model))
    for batch in Batches([one.weight for one in examples], size=BATCH, seed=0):
        started = seconds()
        some = [examples[one.index] for one in batch]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            rewards_2B = reward_model.rewards([one.chosen for one in some] + [one.rejected for one in some])
        chosen_B, rejected_B = rewards_2B.chunk(2)
        loss: Any = bradley_terry_loss(chosen_B - rejected_B)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reward_model.model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        yield seconds() - started


def trainer(data: list[Pair], *, base: str, precision: str) -> Iterator[float]:
    """Seconds between the ends of the trainer's steps: its batches, its figures and its files included."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train_reward(
            data,
            [],
            seed=0,
            out=Path(folder) / "seed-0",
            progress=lambda now: ends.append(seconds()) if now.stage == "train" else None,
            model=ModelConfig(base=base),
            loss=LossConfig(centring=0),
            config=TrainConfig(epochs=1, batch_pairs=BATCH, precision=precision, micro_tokens=10**6, save_every=10**6),
        )
        steps = len(list(read_jsonl(Path(folder) / "seed-0" / "metrics.jsonl")))
    assert steps == len(ends) - 1
    yield from (b - a for a, b in itertools.pairwise(ends[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--words", type=int, default=97)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--precision", nargs="+", default=["float32", "bf16"])
    args = parser.parse_args()
    data = pairs(BATCH * args.steps, args.words)
    reward_model = RewardModel.from_base(ModelConfig(base=args.base))
    examples = pair_examples(data, reward_model.renderer, loss=LossConfig(), max_tokens=ModelConfig().max_tokens)
    tokens = sum(map(tokens_of, examples)) / args.steps
    rows = []
    for precision in args.precision:
        found: dict[str, list[float]] = {"bare": [], "trainer": []}
        for _ in range(args.repeats):  # in turns, so that a busy machine slows both
            found["bare"] += list(bare(examples, base=args.base, precision=precision))[2:]
            found["trainer"] += list(trainer(data, base=args.base, precision=precision))[1:]
        speed = {name: tokens / statistics.median(times) for name, times in found.items()}
        rows.append({"precision": precision, **speed, "overhead": speed["bare"] / speed["trainer"] - 1})
    print(f"{tokens / BATCH / 2:.0f} tokens a row, {BATCH} pairs a step, {torch.get_num_threads()} threads; medians")
    print(f"{'precision':<10} {'bare tok/s':>11} {'trainer tok/s':>14} {'overhead':>9}")
    for row in rows:
        print(f"{row['precision']:<10} {row['bare']:>11.0f} {row['trainer']:>14.0f} {row['overhead']:>9.1%}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB")
    if args.json:
        machine = {"processor": platform.processor() or platform.machine(), "threads": torch.get_num_threads()}
        versions = {name: version(name) for name in ("torch", "transformers", "accelerate")}
        body = {"rows": rows, "peak_gib": peak, "tokens_per_step": tokens, "machine": machine, "versions": versions}
        args.json.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
