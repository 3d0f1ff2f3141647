"""Reward models averaged into one by their weights: `averaged:A,B,C`, or `averaged:RUN` for all seeds of a run.

Imports torch only when the models are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifacts.files import sha256_json
from assay.artifacts.run_models import seeds_with
from assay.errors import InputError
from assay.scorers.local import LocalScorer, Passes

if TYPE_CHECKING:
    from assay.rewards.reward_model import RewardModel


class AveragedScorer(LocalScorer):
    """Scores as LocalScorer does, with the mean of several models' weights."""

    def __init__(self, models: Sequence[str], *, passes: Passes | None = None) -> None:
        super().__init__(f"averaged:{','.join(models)}", passes=passes)
        self.models = tuple(models)

    @cached_property
    def reward_model(self) -> RewardModel:
        """The averaged model, made at first use; its `save` writes it as a plain one."""
        from assay.rewards.averaged_weights import averaged_model
        from assay.rewards.reward_model import best_device

        device = best_device() if self.passes.device == "auto" else self.passes.device
        return averaged_model(self.models, device=device)

    @cached_property
    def fingerprint(self) -> str:
        """Of the members' bytes. Opens them: what cannot be averaged is said before data are read."""
        from assay.models.resolve import locate

        members = sorted(locate(one).fingerprint for one in self.models)
        _ = self.reward_model
        return sha256_json({"averaged": members})


def averaged(argument: str, *, passes: Passes | None = None) -> AveragedScorer:
    """The average of models named with commas between, or of a run's seeds. Raises InputError for fewer than two."""
    found: list[str] = []
    for part in (part.strip() for part in argument.split(",") if part.strip()):
        seeds = seeds_with(Path(part).expanduser(), "model")
        found += [str(seed) for seed in seeds.values()] or [part]
    if len(found) < 2:
        raise InputError(f"averaged:{argument}: {len(found)} model. Name two at least, or a run of several seeds.")
    if len(set(found)) < len(found):
        raise InputError(f"averaged:{argument}: a model stands twice and would count double. Name each once.")
    return AveragedScorer(found, passes=passes)
