"""Self-checks of a saved reward model, as train.json holds them. Knows which of them may not fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assay.errors import TrainingError
from assay.render.encoder import Encoded
from assay.rewards import self_checks
from assay.rewards.reward_model import RewardModel
from assay.train.batches import Example

ROWS = 64  # rows checked, of both sides together

# 4-bit trunks compute in 16 bit: sums in another order differ by more than float32's tolerance, and say so only.
INFORMATIVE_IN_4_BIT = frozenset({"batch_invariance", "padding_side", "reload_equal"})


def self_check(folder: Path, reward_model: RewardModel, examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
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
        check.name: {**asdict(check), "informative": check.name in informative, "rows": len(rows)} for check in found
    }
