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
AGAIN = "Simulate the data again."


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
    """Where the truth of a simulated file stands."""
    return path.with_name(path.name + ".truth.json")


def read_utilities(path: Path) -> dict[str, tuple[float | None, ...]]:
    """The true utilities beside a simulated file, by row or prompt id: one an answer in the row's order, None where it
    is not known.

    Of a file with an answer a row (`assay generate`) the id is the prompt's, and the place its `number`. Raises
    ArtifactError where there is no truth beside `path`, or it holds something else for a row.
    """
    beside = truth_path(path)
    found: dict[str, tuple[float | None, ...]] = {}
    for name, row in _rows(beside).items():
        values = row.get("utility") if isinstance(row, dict) else None
        if not isinstance(values, list) or not all(value is None or _a_number(value) for value in values):
            raise ArtifactError(f'{beside}: row {name!r} has no list of numbers as "utility". {AGAIN}')
        found[str(name)] = tuple(None if value is None else float(value) for value in values)
    return found


def read_categories(path: Path) -> dict[str, str]:
    """The categories that the truth beside a simulated file states, by row or prompt id; those it states none for are
    left out. Raises as `read_utilities`."""
    rows = _rows(truth_path(path)).items()
    return {str(name): row["category"] for name, row in rows if isinstance(row, dict) and row.get("category")}


def _rows(beside: Path) -> dict[str, object]:
    rows = read_json(beside, TRUTH_SCHEMA, again=AGAIN).get("rows")
    if not isinstance(rows, dict):
        raise ArtifactError(f'{beside} states no utilities: "rows" is missing. {AGAIN}')
    return rows


def _a_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _share(hits: list[bool]) -> Accuracy:
    return {"accuracy": sum(hits) / len(hits) if hits else None, "n": len(hits)}
