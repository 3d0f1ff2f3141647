"""What figures are called: for each its unit, why it matters, its label, and where it is shown. Computes nothing.

A room that measures exports its rows as a tuple of Meaning and makes its findings from them; who needs figures of
several rooms (the gate, the report) joins the tuples. A new figure is one row there and nothing elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Reading = Literal["share", "points", "count", "plain"]  # how a number is written: 71.2%, +3.1 points, 12, 0.312
Unit = Literal[
    "share",
    "share difference",
    "Pearson r",
    "nats per pair",
    "named problems",
    "reward",
    "AUC",
    "values",
    "probability",
    "p value",
    "agreement",
    "seconds",
    "correlation",
    "slope",
    "squared error",
    "share of gain",
    "candidates",
    "spreads",
    "area ratio",
]
# Where a figure is shown, apart from the list of all findings, which holds every one.
Place = Literal[
    "terminal",  # the lines that `assay audit` and `assay study analyse` print
    "key figures",  # the large figures under the summary of a page
    "card",  # the metrics in the front matter of the model card
    "score section",  # of the report: how rewards are distributed
    "length section",  # of the report: what length explains
    "style section",  # of the report: what style explains, and what the reward overdoes
    "results table",  # of docs/results, by scripts/figures.py
]


@dataclass(frozen=True, slots=True)
class UnitMeaning:
    """How numbers of a unit are written, and the range they lie in."""

    reading: Reading = "plain"
    low: float = -math.inf
    high: float = math.inf


UNITS: Mapping[Unit, UnitMeaning] = {
    "share": UnitMeaning("share", 0.0, 1.0),
    "share difference": UnitMeaning("points", -1.0, 1.0),
    "Pearson r": UnitMeaning(),
    "nats per pair": UnitMeaning(),
    "named problems": UnitMeaning("count"),
    "reward": UnitMeaning(),
    "AUC": UnitMeaning(low=0.0, high=1.0),
    "values": UnitMeaning("count"),
    "probability": UnitMeaning(low=0.0, high=1.0),
    "p value": UnitMeaning(low=0.0, high=1.0),
    "agreement": UnitMeaning(low=-1.0, high=1.0),
    "seconds": UnitMeaning(),
    "correlation": UnitMeaning(low=-1.0, high=1.0),
    "slope": UnitMeaning(low=0.0),
    "squared error": UnitMeaning(low=0.0, high=1.0),
    "share of gain": UnitMeaning(high=1.0),
    "candidates": UnitMeaning("count", low=1.0),
    "spreads": UnitMeaning(),
    "area ratio": UnitMeaning(low=0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One figure. why: it matters, in one or two sentences. title: its label where the name with spaces will not do.

    shown: the places that show it, each with the words it has there; empty words: its label.
    describes: it says what is at hand and estimates nothing, so that it never carries an interval.
    where_given: it is measured only where the caller gives what it needs, and is no gap elsewhere.
    each_seed: of several seeds it is measured of each as well, with an interval of its own.
    """

    name: str
    unit: Unit
    why: str
    title: str = ""
    shown: Mapping[Place, str] = field(default_factory=dict)
    describes: bool = False
    where_given: bool = False
    each_seed: bool = False

    @property
    def words(self) -> str:
        """The name as it stands in a sentence: length matched accuracy."""
        return self.name.replace("_", " ")

    @property
    def label(self) -> str:
        """The name as a table writes it: Accuracy at equal length."""
        return self.title or self.words.capitalize()

    @property
    def range(self) -> tuple[float, float]:
        return UNITS[self.unit].low, UNITS[self.unit].high


class Vocabulary(Mapping[str, Meaning]):
    """Rows by name, in their order."""

    def __init__(self, *tables: tuple[Meaning, ...]) -> None:
        """Raises ValueError where two rows have one name."""
        self._rows: dict[str, Meaning] = {}
        for row in (row for table in tables for row in table):
            if row.name in self._rows:
                raise ValueError(f"two figures are called {row.name}")
            self._rows[row.name] = row

    def __getitem__(self, name: str) -> Meaning:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def shown_in(self, place: Place) -> dict[str, str]:
        """Names of the figures that `place` shows, in order, each with its words there."""
        return {row.name: row.shown[place] or row.label for row in self._rows.values() if place in row.shown}
