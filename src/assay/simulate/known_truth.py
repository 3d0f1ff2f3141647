"""What is known of simulated rows, as every world's truth file states it: best reachable accuracy, utilities; written.

Knows labels and utilities; knows no world.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from assay.artifacts.files import read_json, write_json, write_jsonl
from assay.errors import ArtifactError
from assay.simulate.paired_votes import Labelled

TRUTH_SCHEMA = "simulation/1"


class Accuracy(TypedDict):
    """A share of n labels; None where there are none."""

    accuracy: float | None
    n: int


class Oracle(Accuracy):
    """The share of labels that the sign of the true utility difference predicts: no model can be expected above it."""

    by_category: dict[str, Accuracy]


class RowTruth(TypedDict):
    """Utility of the chosen and of the rejected answer."""

    utility: list[float]


def oracle(rows: Sequence[Labelled], categories: Iterable[str]) -> Oracle:
    """How often the better answer is the chosen one, overall and by category."""
    right = [(row.category, row.chosen.utility > row.rejected.utility) for row in rows]
    overall = _share([hit for _, hit in right])
    by_category = {category: _share([hit for name, hit in right if name == category]) for category in categories}
    return {**overall, "by_category": by_category}


def agreement(rows: Iterable[Labelled]) -> dict[str, int]:
    """How many rows had so many votes for their chosen answer."""
    return dict(Counter(str(sum(v["choice"] == "chosen" for v in row.votes)) for row in rows))


def utilities(rows: Iterable[Labelled]) -> dict[str, RowTruth]:
    """Both answers' worth, by row id."""
    return {row.id: {"utility": [row.chosen.utility, row.rejected.utility]} for row in rows}


def write_with_truth(path: Path, rows: Iterable[object], truth: Mapping[str, object]) -> Path:
    """Write the rows to `path` and the truth beside it, to `path`.truth.json; returns the truth's path."""
    write_jsonl(path, rows)
    beside = truth_path(path)
    write_json(beside, TRUTH_SCHEMA, truth)
    return beside


def truth_path(path: Path) -> Path:
    """Where the truth of the rows at `path` stands."""
    return path.with_name(path.name + ".truth.json")


def read_utilities(path: Path) -> dict[str, list[float | None]]:
    """The utilities of a truth file by row id: one an answer in the row's order, None where it is not known.

    Of a file with an answer a row (`assay generate`) the id is the prompt's, and the place its `number`. Raises
    ArtifactError for a file that is missing or no truth file, or holds something else for a row.
    """
    rows = read_json(path, TRUTH_SCHEMA, again="Simulate the data again.").get("rows")
    if not isinstance(rows, dict):
        raise ArtifactError(f'{path} states no utilities: "rows" is missing. Simulate the data again.')
    found: dict[str, list[float | None]] = {}
    for name, row in rows.items():
        values = row.get("utility") if isinstance(row, dict) else None
        if not isinstance(values, list) or not all(value is None or _a_number(value) for value in values):
            raise ArtifactError(f'{path}: row {name!r} has no list of numbers as "utility". Simulate the data again.')
        found[str(name)] = [None if value is None else float(value) for value in values]
    return found


def _a_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _share(hits: list[bool]) -> Accuracy:
    return {"accuracy": sum(hits) / len(hits) if hits else None, "n": len(hits)}
