"""train_reward and train_seeds: pairs in, saved reward models out. Knows recipes and folders; a Job does the work."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from assay.errors import EmptyBatchError
from assay.models.config import ModelConfig
from assay.models.resolve import resolve
from assay.records import Pair
from assay.rewards.reward_model import RewardModel
from assay.train.batches import encode_pairs
from assay.train.choice import Choice, choose, stored_in, weighed
from assay.train.config import LossConfig, TrainConfig
from assay.train.identity import identity_of
from assay.train.loop import Task
from assay.train.optimiser import threads_within_quota
from assay.train.progress import Progress, display
from assay.train.result import TrainResult, finished
from assay.train.seed_run import Job
from assay.train.trainer_options import own_randomness

_log = logging.getLogger(__name__)


class Recipe(TypedDict, total=False):
    """How to train: the base and its tuning, the loss, the run. What is left out takes its defaults.

    precision: what was chosen for all seeds of a run, in place of the one in `config`; left out, it is chosen here.
    """

    model: ModelConfig
    loss: LossConfig
    config: TrainConfig
    precision: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """Several seeds of one recipe; mean and spread (sample standard deviation) of their held-out accuracy.

    mean is None without held-out pairs, spread is None with fewer than two seeds.
    """

    results: tuple[TrainResult, ...]
    mean: float | None
    spread: float | None


def train_seeds(
    train_pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    *,
    out: Path | str,
    progress: Callable[[Progress], None] | None = None,
    **recipe: Unpack[Recipe],
) -> Seeds:
    """Train every seed of `config.seeds` into `out`/seed-N. Arguments and errors as train_reward."""
    config = recipe.get("config", TrainConfig())
    if "precision" not in recipe:
        folders = [Path(out) / f"seed-{seed}" for seed in config.seeds]
        recipe["precision"] = choose(config.precision, stored=stored_in(folders))
    results = tuple(
        train_reward(train_pairs, held_out, seed=seed, out=Path(out) / f"seed-{seed}", progress=progress, **recipe)
        for seed in config.seeds
    )
    found = [one.held_out_accuracy for one in results if one.held_out_accuracy is not None]
    return Seeds(
        results=results,
        mean=statistics.mean(found) if found else None,
        spread=statistics.stdev(found) if len(found) > 1 else None,
    )


def train_reward(
    train_pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    *,
    seed: int = 0,
    out: Path | str,
    progress: Callable[[Progress], None] | None = None,
    **recipe: Unpack[Recipe],
) -> TrainResult:
    """Train one seed into the folder `out`: model/, metrics.jsonl, scores.jsonl, train.json.

    recipe: model=ModelConfig(...), loss=LossConfig(...), config=TrainConfig(...); what is left out takes its defaults.
    progress: called with a Progress at every step; None shows a bar on a terminal and plain lines elsewhere.
    Killed anywhere, the next call goes on and ends with the same weights; finished, it returns what is there.
    Raises EmptyBatchError without training pairs, InputError for rows over max_tokens, ArtifactError if `out` belongs
    to another recipe, data or base, TrainingError for a loss that is not finite or a self-check that fails.
    """
    if not train_pairs:
        raise EmptyBatchError("There are no training pairs. Look into rejects.jsonl for why rows were rejected.")
    started, folder = time.monotonic(), Path(out)
    model, loss = recipe.get("model", ModelConfig()), recipe.get("loss", LossConfig())
    config = recipe.get("config", TrainConfig())
    precision = recipe.get("precision") or choose(config.precision, stored=stored_in([folder]))
    config = config.model_copy(update={"precision": precision.used})
    base = resolve(model.base, model.revision)
    identity = identity_of(
        {"model": model, "loss": loss, "train": config},
        seed=seed,
        base=base.fingerprint,
        data={"train": train_pairs, "held_out": held_out},
    )
    done = finished(folder, identity=identity)
    if done is not None:
        return done
    with own_randomness(seed), threads_within_quota():
        reward_model = RewardModel.from_base(model, seed=seed)
        task = Task(
            seed=seed,
            pairs=encode_pairs(train_pairs, reward_model.renderer, model=model, loss=loss),
            held_out=held_out,
            held_out_examples=encode_pairs(held_out, reward_model.renderer, model=model, loss=loss),
            loss=loss,
            config=config,
            identity=identity,
        )
        job = Job(
            folder=folder,
            task=task,
            reward_model=reward_model,
            precision=weighed(precision, _log.warning),
            notify=progress or display(),
        )
        job.seconds["prepare"] = time.monotonic() - started
        return job.run(base_name=base.name)
