"""What is true of simulated rows, as it stands in FILE.truth.json: best accuracy, utilities, annotators, defects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypedDict

from assay.simulate.support.annotators import Annotator
from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.defects import Planted, PlantedDefect
from assay.simulate.support.utility import MANNERS, WEIGHTS


class Accuracy(TypedDict):
    """A share of n labels; None where there are none."""

    accuracy: float | None
    n: int


class Oracle(Accuracy):
    """The share of labels that the sign of the true utility difference predicts: no model can be expected above it."""

    by_category: dict[str, Accuracy]


class Utility(TypedDict):
    """The tables by which answers are worth something."""

    weights: dict[str, float]
    manners: dict[str, dict[str, float]]


class RowTruth(TypedDict):
    """Utility of the chosen and of the rejected answer."""

    utility: list[float]


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
    rows: dict[str, RowTruth]


def truth_of(planted: Planted, *, seed: int, rates: Mapping[str, float], annotators: tuple[Annotator, ...]) -> Truth:
    """What is known of these rows."""
    before = [(row.category, row.chosen.utility > row.rejected.utility) for row in planted.clean]
    after = [
        (row.category, row.chosen.utility > row.rejected.utility)
        for row in planted.rows
        if row.id not in planted.indefinite
    ]
    return {
        "pairs": len(planted.rows),
        "seed": seed,
        "rates": dict(rates),
        "oracle": _oracle(after),
        "oracle_without_defects": _oracle(before),
        "agreement": dict(Counter(str(sum(v["choice"] == "chosen" for v in row.votes)) for row in planted.clean)),
        "annotators": [
            {name: getattr(annotator, name) for name in Annotator.__dataclass_fields__} for annotator in annotators
        ],
        "utility": {
            "weights": dict(WEIGHTS),
            "manners": {mood: {str(style): worth for style, worth in table.items()} for mood, table in MANNERS.items()},
        },
        "defects": planted.truth,
        "rows": {row.id: {"utility": [row.chosen.utility, row.rejected.utility]} for row in planted.rows},
    }


def _oracle(right: list[tuple[str, bool]]) -> Oracle:
    """right: of each labelled row, its category and whether the better answer is the chosen one."""
    overall = _share([hit for _, hit in right])
    by_category = {category: _share([hit for name, hit in right if name == category]) for category in CATEGORIES}
    return {**overall, "by_category": by_category}


def _share(hits: list[bool]) -> Accuracy:
    return {"accuracy": sum(hits) / len(hits) if hits else None, "n": len(hits)}
