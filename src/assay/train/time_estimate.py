"""How long a training will take on this machine: two of its steps timed, and the rest told from them by counting.

1) open the base; 2) run one pass for warming up, then whole steps as training cuts them, forward, backward and update;
3) score rows as an evaluation does; 4) multiply. What is trained here is thrown away. Knows pairs and options; knows no
run folder, and nothing of what comes before and after training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch

from assay.engine.micro_batches import pass_tokens
from assay.models.config import ModelConfig
from assay.models.precision import resolve
from assay.records import Pair
from assay.render.length_gate import length_gate
from assay.rewards.reward_model import RewardModel
from assay.train.batches import cut
from assay.train.config import LossConfig, TrainConfig
from assay.train.optimiser import adamw
from assay.train.pair_examples import PairExample, pair_examples
from assay.train.reward_checks import ROWS, head_parameters
from assay.train.threads import threads_within_quota

STEPS = 2  # timed
_CHECKS = 7  # times that self-checks run their rows: in memory, reloaded, alone, batched, padded, swapped


def seconds_to_train(
    pairs: Sequence[Pair], *, held_out: int, model: ModelConfig, loss: LossConfig, config: TrainConfig
) -> float:
    """Seconds from the first step of one seed to its saved and checked model, if the machine stays as busy as it is.

    pairs: those to be trained on, in any order; they are rendered, and some are run. held_out: how many are scored an
    epoch.
    """
    state = torch.random.get_rng_state()
    with threads_within_quota():
        reward_model = RewardModel.from_base(model, seed=0)
        fitting = length_gate(pairs[: 2 * (STEPS + 1) * config.batch_pairs], reward_model.renderer, model.max_tokens)
        some = pair_examples(fitting.pairs, reward_model.renderer, loss=loss, max_tokens=model.max_tokens)
        step = _seconds_of_a_step(reward_model, some, config)
        started = time.perf_counter()
        rows = [row for one in some[: config.batch_pairs] for row in one.rows]
        reward_model.score(rows, micro_tokens=config.micro_tokens, sharing=config.sharing)
        scoring = (time.perf_counter() - started) / min(config.batch_pairs, len(some))
    torch.random.set_rng_state(state)
    steps = math.ceil(config.epochs * math.ceil(len(pairs) / config.batch_pairs))
    return steps * step + scoring * (held_out * math.ceil(config.epochs) + _CHECKS * ROWS / 2)


def _seconds_of_a_step(reward_model: RewardModel, some: Sequence[PairExample], config: TrainConfig) -> float:
    """Seconds of one optimiser step: the mean of `STEPS`, after one for warming up."""
    optimiser = adamw(reward_model.model, config, head=head_parameters(reward_model.model))
    half = resolve(config.precision) == "bf16"
    reward_model.model.train()
    started = 0.0
    for number in range(STEPS + 1):
        if number == 1:
            started = time.perf_counter()
        batch = some[number * config.batch_pairs :][: config.batch_pairs] or some
        with torch.autocast(reward_model.device.type, torch.bfloat16, enabled=half):
            layout = reward_model.layout([row for one in batch for row in one.rows], sharing=config.sharing)
            budget = pass_tokens(config.micro_tokens, reward_model.device.type, layout)
            for places in cut(batch, micro_tokens=budget, layout=layout):
                rows = [row for place in places for row in batch[place].rows]
                torch.autograd.backward(reward_model.rewards(rows, sharing=config.sharing).sum())
        optimiser.step()
        optimiser.zero_grad()
    return (time.perf_counter() - started) / STEPS
