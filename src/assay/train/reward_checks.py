"""What must hold of a reward model: its head is trained; once saved, it is what was trained and gives the same rewards.

Knows which checks may not fail, and how train.json holds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import nn

from assay.artifacts.train_body import SelfCheckBody
from assay.errors import TrainingError
from assay.models.wrappers import trunk_of
from assay.render.encoder import Encoded
from assay.rewards import self_checks
from assay.rewards.reward_model import RewardModel
from assay.train.pair_examples import PairExample

ROWS = 64  # rows checked, of both sides together

# 4-bit trunks compute in 16 bit: sums in another order differ by more than float32's tolerance, and say so only.
INFORMATIVE_IN_4_BIT = frozenset({"batch_invariance", "padding_side", "reload_equal"})


def head_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trained parameters outside the trunk, by name. Raises TrainingError if there are none: a random head."""
    trunk = {id(parameter) for parameter in trunk_of(model).parameters()}
    head = {n: p for n, p in model.named_parameters() if id(p) not in trunk and p.requires_grad}
    if not head:
        raise TrainingError(
            "No parameter of the reward head requires a gradient: the head would stay random. "
            "With PEFT, put the head into modules_to_save."
        )
    return head


def self_check(folder: Path, reward_model: RewardModel, examples: Sequence[PairExample]) -> dict[str, SelfCheckBody]:
    """Check the model in memory and the saved folder on real rows; by name, with what was measured and allowed.

    examples: held-out ones, or training ones where none are held out. Raises TrainingError if a check fails that is
    not merely informative.
    """
    some = examples[: ROWS // 2]
    chosen, rejected = [one.chosen for one in some], [one.rejected for one in some]
    rows: list[Encoded] = [*chosen, *rejected]
    found = [
        self_checks.reload_equal(reward_model, folder, rows),
        self_checks.batch_invariance(reward_model, rows),
        self_checks.padding_side(reward_model, rows),
        self_checks.swap_mirrors(reward_model, chosen, rejected),
    ]
    informative = INFORMATIVE_IN_4_BIT if getattr(reward_model.model, "is_loaded_in_4bit", False) else frozenset()
    failed = [check for check in found if not check.passed and check.name not in informative]
    if failed:
        raise TrainingError(
            f"{folder} failed its self-check: "
            + " ".join(f"{c.name}: differs by {c.worst:.2g}, allowed {c.tolerance:.2g}. {c.meaning}" for c in failed)
            + " The seed is not finished; train.json was not written."
        )
    return {
        check.name: SelfCheckBody(**asdict(check), informative=check.name in informative, rows=len(rows))
        for check in found
    }
