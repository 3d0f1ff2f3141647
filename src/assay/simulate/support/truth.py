"""What is true of simulated rows, as it stands in FILE.truth.json: best accuracy, utilities, annotators, defects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from assay.simulate.known_truth import Oracle, RowTruth, agreement, oracle, utilities
from assay.simulate.support.annotators import Annotator
from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.defects import Planted, PlantedDefect
from assay.simulate.support.shortcuts import PlantedShortcut
from assay.simulate.support.utility import MANNERS, WEIGHTS


class Utility(TypedDict):
    """The tables by which answers are worth something."""

    weights: dict[str, float]
    manners: dict[str, dict[str, float]]


class Truth(TypedDict):
    """Everything that is true of the rows.

    oracle: measured on the rows with a definite label after planting; oracle_without_defects: before. agreement: how
    many rows had so many votes for their chosen answer, before planting. rows: by id.
    """

    pairs: int
    seed: int
    rates: dict[str, float]
    oracle: Oracle
    oracle_without_defects: Oracle
    agreement: dict[str, int]
    annotators: list[dict[str, str | float]]
    utility: Utility
    defects: dict[str, PlantedDefect]
    shortcuts: NotRequired[dict[str, PlantedShortcut]]
    rows: dict[str, RowTruth]


def truth_of(planted: Planted, *, seed: int, rates: Mapping[str, float], annotators: tuple[Annotator, ...]) -> Truth:
    """What is known of these rows."""
    definite = [row for row in planted.rows if row.id not in planted.indefinite]
    return {
        "pairs": len(planted.rows),
        "seed": seed,
        "rates": dict(rates),
        "oracle": oracle(definite, CATEGORIES),
        "oracle_without_defects": oracle(planted.clean, CATEGORIES),
        "agreement": agreement(planted.clean),
        "annotators": [
            {name: getattr(annotator, name) for name in Annotator.__dataclass_fields__} for annotator in annotators
        ],
        "utility": utility_tables(),
        "defects": planted.truth,
        "rows": utilities(planted.rows),
    }


def utility_tables() -> Utility:
    """The tables as they stand in truth files."""
    return {
        "weights": dict(WEIGHTS),
        "manners": {mood: {str(style): worth for style, worth in table.items()} for mood, table in MANNERS.items()},
    }
