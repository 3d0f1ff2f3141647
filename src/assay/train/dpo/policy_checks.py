"""What must hold of a tuned policy: saved, it is what was trained; and an answer's probability is its own.

Knows models and rows; trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModelForCausalLM

from assay.artifacts.train_body import SelfCheckBody
from assay.engine.logprobs import completion_logprobs
from assay.errors import TrainingError
from assay.models.device_and_mode import device_of, evaluating
from assay.models.opening import open_weights
from assay.models.quiet import quiet
from assay.models.wrappers import unwrap
from assay.render.encoder import Encoded
from assay.train.pair_examples import PairExample

# Both sides of each, three times and in float32: of sixteen it was a tenth of a short run.
PAIRS = 4
TOLERANCE = 1e-4  # of a log-probability, relative to the largest: sums of float32 in another order


def self_check(folder: Path, model: nn.Module, examples: Sequence[PairExample]) -> dict[str, SelfCheckBody]:
    """Check the saved folder, and the model in memory, on real rows; by name.

    Raises TrainingError where a check fails. Of a trunk in 4 bit reloading is only informative: it is saved in float32.
    """
    rows = [row for one in examples[:PAIRS] for row in one.rows]
    with quiet():
        again: nn.Module = open_weights(AutoModelForCausalLM, folder, dtype=torch.float32)
    again = again.to(device_of(model)).eval()
    here = logprobs(model, rows, at_once=len(rows))
    four_bit = bool(getattr(unwrap(model), "is_loaded_in_4bit", False))
    checks = [
        _check(
            "reload_equal",
            here,
            logprobs(again, rows, at_once=len(rows)),
            "The saved folder is not the policy that was trained: an adapter was not merged, or weights are missing.",
            informative=four_bit,
        ),
        _check(
            "batch_invariance",
            here,
            logprobs(model, rows, at_once=1),
            "An answer's probability depends on what else is in the batch.",
            informative=four_bit,
        ),
    ]
    failed = [check for check in checks if not check.passed and not check.informative]
    if failed:
        raise TrainingError(
            f"{folder} failed its self-check: "
            + " ".join(f"{c.name}: differs by {c.worst:.2g}, allowed {c.tolerance:.2g}. {c.meaning}" for c in failed)
            + " The seed is not finished; train.json was not written."
        )
    return {check.name: check for check in checks}


def logprobs(model: nn.Module, rows: Sequence[Encoded], *, at_once: int) -> NDArray[np.float64]:
    """Log-probabilities of rows, some at a time."""
    some = [rows[start : start + at_once] for start in range(0, len(rows), at_once)]
    with evaluating(model):
        parts = [completion_logprobs(model, [r.ids for r in part], [r.prompt_tokens for r in part]) for part in some]
    return torch.cat(parts).double().cpu().numpy()


def _check(
    name: str, a: NDArray[np.float64], b: NDArray[np.float64], meaning: str, *, informative: bool
) -> SelfCheckBody:
    worst = float(np.abs(a - b).max()) / max(1.0, float(np.abs(a).max()))
    passed = bool(worst <= TOLERANCE)  # not a number is a failure
    return SelfCheckBody(
        name=name,
        passed=passed,
        worst=worst if np.isfinite(worst) else None,
        tolerance=TOLERANCE,
        meaning=meaning,
        informative=informative,
        rows=len(a),
    )
