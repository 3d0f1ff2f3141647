"""How near an encoder's training step is to what the machine's matrix multiplication allows, ours and padded in turns.

    python benchmarks/bench_encoder.py

Rows: the simulated support desk on `minilm`, random batches of 32 pairs, no file needed. Limit: operations of one step
over the rows' own tokens (forward, and twice that backward: linear layers 2 * weights a token, attention 4 * heads *
head size for each pair of tokens of a row, in every layer) divided by the rate of matrix multiplication, sampled
before, between and after its passes in the same process (the mean; beside it the share of the fastest product seen).
Contenders take turns within a round: rows side by side, and padded batches sorted by length; each without dropout and
with the base's own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from assay.data import read_pairs
from assay.engine.micro_batches import pass_tokens
from assay.models.config import ModelConfig
from assay.models.wrappers import trunk_of
from assay.records import Pair
from assay.rewards.reward_model import RewardModel, Sharing
from assay.simulate.support import support
from assay.train.batches import Batches, cut, distinct_rows
from assay.train.config import LossConfig
from assay.train.losses.preference import bradley_terry_loss
from assay.train.pair_examples import PairExample, pair_examples
from harness import Clock, MatmulRate, median, shares, write

CONTENDERS: dict[str, tuple[Sharing, float | None]] = {
    "side by side, no dropout": ("on", 0.0),
    "padded, no dropout": ("off", 0.0),
    "side by side, the base's dropout": ("on", None),
    "padded, the base's dropout": ("off", None),
}
SHAPES = ((2048, 384, 1536), (2048, 384, 384), (2048, 2048, 2048))


def simulated(count: int) -> list[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        simulation = support(count, seed=0)
        simulation.write(Path(folder) / "pairs.jsonl")
        return list(read_pairs(str(Path(folder) / "pairs.jsonl")).pairs)


def step(model: RewardModel, examples: Sequence[PairExample], sharing: Sharing, rate: MatmulRate, clock: Clock) -> None:
    """Forward and backward passes of one optimiser step, cut as training cuts them; samples the rate between them."""
    layout = model.layout([row for one in examples for row in one.rows], sharing=sharing)
    for places in cut(examples, micro_tokens=pass_tokens(None, "cpu", layout), layout=layout):
        rows, order = distinct_rows([examples[i].chosen for i in places] + [examples[i].rejected for i in places])
        chosen_B, rejected_B = model.rewards(rows, sharing=sharing)[torch.tensor(order)].chunk(2)
        (bradley_terry_loss(chosen_B - rejected_B) * len(places) / len(examples)).backward()  # type: ignore[no-untyped-call]
        with clock.stopped():
            rate.sample(2)


def operations(model: RewardModel, examples: Sequence[PairExample]) -> tuple[float, int, int]:
    """Operations of a step over its distinct rows, their tokens, and the tokens of the padded passes."""
    trunk = trunk_of(model.model)
    config = trunk.config
    linear = [m for m in trunk.encoder.modules() if isinstance(m, torch.nn.Linear)]  # type: ignore[union-attr]
    weights = sum(int(m.weight.numel()) for m in linear)
    rows, _ = distinct_rows([row for one in examples for row in one.rows])
    lengths = [len(row.ids) for row in rows]
    seen = sum(length**2 for length in lengths)
    forward = 2 * weights * sum(lengths) + 4 * config.hidden_size * config.num_hidden_layers * seen  # type: ignore[union-attr, operator]
    padded = 0
    for places in cut(examples, micro_tokens=pass_tokens(None, "cpu", "padded")):
        some, _ = distinct_rows([row for i in places for row in examples[i].rows])
        padded += len(some) * max(len(row.ids) for row in some)
    return float(3.0 * forward), sum(lengths), padded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--pairs", type=int, default=32, help="pairs in an optimiser batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    models = {
        dropout: RewardModel.from_base(ModelConfig(base=options.base, dropout=dropout)) for dropout in (0.0, None)
    }
    data = simulated(40 * options.pairs)
    examples = pair_examples(data, models[None].renderer, loss=LossConfig(), max_tokens=ModelConfig().max_tokens)
    batches = [
        [examples[one.index] for one in some] for some in Batches([1.0] * len(examples), size=options.pairs, seed=0)
    ]
    runs = []
    for number in range(-1, options.rounds):  # the first round warms up
        batch = batches[number + 1]
        names = list(CONTENDERS) if number % 2 == 0 else list(reversed(CONTENDERS))
        for name in names:
            sharing, dropout = CONTENDERS[name]
            model = models[dropout]
            model.model.train()
            rate = MatmulRate(SHAPES)
            rate.sample()
            clock = Clock()
            step(model, batch, sharing, rate, clock)
            spent = clock.read()
            model.model.zero_grad()
            if number < 0:
                continue
            total, tokens, padded = operations(model, batch)
            run = {
                "round": number,
                "contender": name,
                **spent,
                "pairs_per_second": round(len(batch) / spent["seconds"], 2),
                "tokens": tokens,
                "padded_tokens": padded,
                **shares(total, spent, rate),
            }
            runs.append(run)
            print(json.dumps(run), flush=True)
    kinds = ("pairs_per_second", "share_of_limit", "share_of_limit_processor_time", "share_of_best_rate")
    summary = {
        name: {kind: median([float(str(run[kind])) for run in runs if run["contender"] == name]) for kind in kinds}
        for name in CONTENDERS
    }
    options.max_tokens, options.micro_tokens = ModelConfig().max_tokens, pass_tokens(None, "cpu", "side by side")
    write(options, "encoder", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
