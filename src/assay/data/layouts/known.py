"""The layouts pairs and candidates come in, in one visible dict, and which of them a source has.

A layout is recognised from the first rows or named by the user. Judges nothing (that is the contract's business).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assay.artifacts.contract_body import LayoutReport
from assay.data.config import DataConfig
from assay.data.layouts.argilla import argilla, argilla_columns
from assay.data.layouts.candidate_rows import candidate_columns, candidates
from assay.data.layouts.chosen_rejected import (
    hh,
    hh_columns,
    implicit,
    native,
    native_columns,
    plain_columns,
    rewardbench_columns,
)
from assay.data.layouts.columns import WAY_OUT, Columns, listed, stated_columns
from assay.data.layouts.comparison import comparison, comparison_columns
from assay.data.layouts.draft import Draft
from assay.data.layouts.label_studio import label_studio, label_studio_columns
from assay.data.layouts.published import shp, shp_columns, ukp, ukp_columns
from assay.data.sources.row import Row
from assay.errors import ConfigError, InputError
from assay.records import Candidates

SAMPLE = 200  # rows from which a layout is recognised


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way pairs or candidates are written down.

    columns: from the columns seen and those the user stated, role -> column; None if this layout does not fit.
    build: a row's pair or candidates, as they stand. Raises UnfitError if there are none.
    """

    about: str
    columns: Callable[[Sequence[Row], Sequence[str], Mapping[str, str]], dict[str, str] | None]
    build: Callable[[Row, Columns], Draft | Candidates]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The layout chosen for a source, and its columns."""

    name: str
    layout: Layout
    columns: Columns

    def build(self, row: Row) -> Draft | Candidates:
        return self.layout.build(row, self.columns)

    def report(self) -> LayoutReport:
        return LayoutReport(name=self.name, about=self.layout.about, columns=dict(self.columns.names))


LAYOUTS: Mapping[str, Layout] = {
    "ukp": Layout(about="UKPConvArg1: #id, label, a1, a2; file = debate and side", columns=ukp_columns, build=ukp),
    "label_studio": Layout(about="Label Studio pairwise export", columns=label_studio_columns, build=label_studio),
    "argilla": Layout(about="Argilla records, flat or nested", columns=argilla_columns, build=argilla),
    "shp": Layout(about="SHP: history, human_ref_A, human_ref_B, labels (1 = A)", columns=shp_columns, build=shp),
    "rewardbench": Layout(
        about="RewardBench: prompt, chosen, rejected; category = subset", columns=rewardbench_columns, build=native
    ),
    "hh": Layout(about="chosen and rejected as Human:/Assistant: transcripts", columns=hh_columns, build=hh),
    "implicit": Layout(about="chosen and rejected that begin with the prompt", columns=plain_columns, build=implicit),
    "native": Layout(about="prompt, chosen, rejected: texts or messages", columns=native_columns, build=native),
    "comparison": Layout(about="prompt, two answers, label or votes", columns=comparison_columns, build=comparison),
    "candidates": Layout(
        about="prompt, a list of answers, and their ranks, scores or votes", columns=candidate_columns, build=candidates
    ),
}
GENERAL = frozenset(
    {"hh", "implicit", "native", "comparison", "candidates"}
)  # the others are known by names nobody else uses


def recognise(rows: Sequence[Row], config: DataConfig, source: str) -> Plan:
    """The layout of these first rows. Raises InputError if none or several fit, ConfigError for an unknown name."""
    seen = list(dict.fromkeys(str(name) for row in rows for name in row.data))
    columns = stated_columns(config.columns, seen)
    if config.layout != "auto":
        return named(config, rows, seen, columns, source)
    fitting: dict[str, dict[str, str]] = {}
    for name, layout in LAYOUTS.items():
        if (found := layout.columns(rows, seen, columns)) is not None:
            # The general layouts would often fit its columns as well, and then nothing could be chosen.
            if name not in GENERAL:
                fitting = {name: found}
                break
            fitting[name] = found
    if not fitting:
        raise InputError(f"{source}: no known layout has the columns {listed(seen)}. {WAY_OUT}")
    if len(fitting) > 1:
        names = " and ".join(fitting)
        raise InputError(f"{source}: the columns fit the layouts {names}. Choose one: --layout {next(iter(fitting))}")
    name, names_found = next(iter(fitting.items()))
    return Plan(name=name, layout=LAYOUTS[name], columns=Columns(names_found, config.labels))


def named(config: DataConfig, rows: Sequence[Row], seen: list[str], columns: Mapping[str, str], source: str) -> Plan:
    """The layout the user named."""
    layout = LAYOUTS.get(config.layout)
    if layout is None:
        raise ConfigError(f"There is no layout {config.layout!r}. Layouts: auto, {', '.join(LAYOUTS)}.")
    found = layout.columns(rows, seen, columns)
    if found is None:
        raise InputError(
            f"{source}: layout {config.layout} ({layout.about}) does not fit the columns {listed(seen)}. {WAY_OUT}"
        )
    return Plan(name=config.layout, layout=layout, columns=Columns(found, config.labels))
