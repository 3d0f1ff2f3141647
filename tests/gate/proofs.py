"""What opens a gate: the proof of a clean split, and a self-check of a seed."""

from __future__ import annotations

from assay.artifacts.split_body import SplitBody
from assay.artifacts.train_body import SelfCheckBody
from assay.data import split
from assay.data.config import SplitConfig
from tests.audits.planted import make_pairs


def proof(**changed: object) -> SplitBody:
    """The proof of a clean split, with what a test changes in it."""
    pairs = make_pairs(4)
    sides = split(pairs, config=SplitConfig(holdout=2, rounding="nearest"), groups=[pair.id for pair in pairs])
    return sides.proof.model_copy(update={"shared_groups": 0, "shared_prompts": 0} | changed)


def reload(*, passed: bool) -> dict[str, SelfCheckBody]:
    check = SelfCheckBody(
        name="reload_equal", passed=passed, worst=0.0, tolerance=1e-5, meaning="", informative=False, rows=4
    )
    return {"reload_equal": check}
