"""The simulated support desk, whole: pairs labelled by category, shuffled, named, defects planted, the truth beside.

Knows everything that is true of a row; nothing outside this package may read it to judge the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import ConfigError
from assay.simulate.known_truth import write_with_truth
from assay.simulate.paired_votes import Labelled, numbered
from assay.simulate.random_values import simulation_stream
from assay.simulate.support.annotators import annotators
from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.defects import Row, checked, plant
from assay.simulate.support.labelling import label_category
from assay.simulate.support.shortcuts import PlantedShortcut, checked_shortcuts, plant_length
from assay.simulate.support.truth import Truth, truth_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Rows in assay's own layout, and everything that is true of them."""

    rows: list[Row]
    truth: Truth

    def write(self, path: Path) -> Path:
        """Write the rows to `path` and the truth beside it, to `path`.truth.json; returns the truth's path."""
        return write_with_truth(path, self.rows, self.truth)


def support(
    pairs: int,
    *,
    seed: int = 0,
    defects: Mapping[str, float] | None = None,
    shortcuts: Mapping[str, float] | None = None,
) -> Simulation:
    """Exactly `pairs` labelled preference pairs of a support desk in five equal categories.

    defects: share of rows, by a name from DEFECTS; for position_bias the share of one annotator's votes.
    shortcuts: strength by a name from SHORTCUTS, planted in all rows before any defect.
    The same arguments give the same rows. Raises ConfigError for an unknown name or a share that cannot be had.
    """
    rates, strengths = checked(defects or {}), checked_shortcuts(shortcuts or {})
    if pairs < 1:
        raise ConfigError(f"pairs: expected a number of at least 1, got {pairs}.")
    voters = annotators(favours_left=rates.get("position_bias", 0.0))
    labelled: list[Labelled] = []
    for place, category in enumerate(CATEGORIES):
        wanted = pairs // len(CATEGORIES) + (place < pairs % len(CATEGORIES))
        labelled += label_category(category, wanted, seed=seed, annotators=voters)
    simulation_stream(seed, "order").shuffle(labelled)
    # Named after the shuffle: a name in the order of drawing would give the category away.
    named = numbered(labelled, "support")
    found: dict[str, PlantedShortcut] = {}
    if "length" in strengths:
        named, found["length"] = plant_length(named, strengths["length"], seed=seed)
    planted, rows = plant(named, rates, seed=seed)
    truth = truth_of(planted, seed=seed, rates=rates, annotators=voters)
    if found:
        truth["shortcuts"] = found
    return Simulation(rows=rows, truth=truth)
