"""The layouts pairs and candidates come in, and which of them a source has.

1. Published layouts are files in the mapping language (mapped_layouts.py), known by names nobody else uses.
2. General ones, and those whose meaning is more than places, stand here in one visible dict.
A layout is recognised from the first rows or named by the user, as is a file with his own. Judges nothing (that is the
contract's business).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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
from assay.data.layouts.comparison import comparison, comparison_columns, vote_columns, vote_rows
from assay.data.layouts.draft import Draft, Drafts
from assay.data.layouts.gathered_rows import Expand, Gather
from assay.data.layouts.label_studio import label_studio, label_studio_columns
from assay.data.layouts.label_values import column_numbers, labels_seen, refuse_unknown
from assay.data.layouts.mapped_layouts import (
    ENDS,
    by_objective,
    known_layouts,
    own_layout,
    recognised,
    refuse_absent,
    with_stated,
)
from assay.data.layouts.mapped_rows import compiled
from assay.data.layouts.mapping_language import MappedLayout
from assay.data.layouts.oasst import (
    OASST_MESSAGES,
    oasst_message_columns,
    oasst_messages,
    oasst_tree,
    oasst_tree_columns,
)
from assay.data.layouts.published import shp, shp_columns, ukp, ukp_columns
from assay.data.layouts.published_groups import finegrained, finegrained_columns, rankings, rankings_columns
from assay.data.layouts.ranked_answers import (
    answers_a_row,
    answers_in_columns,
    ranked_columns,
    ranked_row_columns,
)
from assay.data.layouts.unknown_layout import draft_layout, rows_inside
from assay.data.sources.row import Row
from assay.errors import ConfigError, InputError
from assay.records import Candidates

SAMPLE = 200  # rows from which a layout is recognised


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way pairs or candidates are written down.

    columns: from the columns seen and those the user stated, role -> column; None if this layout does not fit.
    build: a row's pair or candidates, as they stand. Raises UnfitError if there are none. gather, expand: as in Plan.
    """

    about: str
    columns: Callable[[Sequence[Row], Sequence[str], Mapping[str, str]], dict[str, str] | None]
    build: Callable[[Row, Columns], Draft | Drafts | Candidates]
    gather: Gather | None = None
    expand: Expand | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The layout chosen for a source, and its columns.

    gather: how rows that make one are brought together, where each holds a vote or an answer. expand: the rows that a
    row holds, where it is a tree of messages. least_difference: by
    which scores of candidates have to differ, to be no tie. systems: the two columns that name the systems of the left
    and the right answer, where the layout says so. objective: of rows that state several outcomes, the one read alone.
    """

    name: str
    layout: Layout
    columns: Columns
    gather: Gather | None = None
    expand: Expand | None = None
    least_difference: float = 0.0
    systems: tuple[str, ...] = ()
    objective: str | None = None

    def build(self, row: Row) -> Draft | Drafts | Candidates:
        return self.layout.build(row, self.columns)

    def report(self) -> LayoutReport:
        return LayoutReport(name=self.name, about=self.layout.about, columns=dict(self.columns.names))


LAYOUTS: Mapping[str, Layout] = {
    "ukp": Layout(about="UKPConvArg1: #id, label, a1, a2; file = debate and side", columns=ukp_columns, build=ukp),
    "label_studio": Layout(about="Label Studio pairwise export", columns=label_studio_columns, build=label_studio),
    "argilla": Layout(about="Argilla records, flat or nested", columns=argilla_columns, build=argilla),
    "shp": Layout(about="SHP: history, human_ref_A, human_ref_B, labels (1 = A)", columns=shp_columns, build=shp),
    "finegrained_rlhf": Layout(
        about="FineGrainedRLHF: question, passages, prediction 1 to 4, a preference for every two",
        columns=finegrained_columns,
        build=finegrained,
    ),
    "rankings": Layout(
        about="texts by name and each annotator's ranking: instruction, texts, rankings_best_first",
        columns=rankings_columns,
        build=rankings,
    ),
    "oasst_trees": Layout(
        about="OASST trees: a message tree a row, replies with their rank, 0 the best",
        columns=oasst_tree_columns,
        build=candidates,
        expand=oasst_tree,
    ),
    "oasst_messages": Layout(
        about="OASST messages: a message a row, which names its parent; replies with their rank, 0 the best",
        columns=oasst_message_columns,
        build=candidates,
        gather=OASST_MESSAGES,
        expand=oasst_messages,
    ),
    "ranked_columns": Layout(
        about="a prompt, several answers in columns and the rank of each, 1 the best",
        columns=ranked_columns,
        build=candidates,
    ),
    "ranked_rows": Layout(
        about="one row an answer: a prompt, an answer and its rank, 1 the best",
        columns=ranked_row_columns,
        build=candidates,
    ),
    "rewardbench": Layout(
        about="RewardBench: prompt, chosen, rejected; category = subset", columns=rewardbench_columns, build=native
    ),
    "hh": Layout(about="chosen and rejected as Human:/Assistant: transcripts", columns=hh_columns, build=hh),
    "implicit": Layout(about="chosen and rejected that begin with the prompt", columns=plain_columns, build=implicit),
    "native": Layout(about="prompt, chosen, rejected: texts or messages", columns=native_columns, build=native),
    "vote_rows": Layout(
        about="one row a vote: prompt, two answers, annotator, choice", columns=vote_columns, build=comparison
    ),
    "comparison": Layout(about="prompt, two answers, label or votes", columns=comparison_columns, build=comparison),
    "candidates": Layout(
        about="prompt, a list of answers, and their ranks, scores or votes", columns=candidate_columns, build=candidates
    ),
}
GENERAL = frozenset(
    {"hh", "implicit", "native", "vote_rows", "comparison", "candidates"}
)  # the others are known by names nobody else uses
# Layouts that are said in the mapping language once their columns are known.
ROWS_OF: Mapping[str, Callable[[Columns, str], MappedLayout]] = {
    "ranked_columns": answers_in_columns,
    "ranked_rows": answers_a_row,
}
BY_LABEL = frozenset({"vote_rows", "comparison"})  # layouts whose label or votes say who won


def recognise(rows: Sequence[Row], config: DataConfig, source: str) -> Plan:
    """The layout of these first rows. Raises InputError if none or several fit, ConfigError for an unknown name."""
    seen = list(dict.fromkeys(str(name) for row in rows for name in row.data))
    columns = stated_columns(config.columns, seen)
    if config.layout != "auto":
        return named(config, rows, seen, columns, source)
    if (mapped := recognised(rows, seen, columns, source)) is not None:
        return mapped_plan(mapped, config)
    fitting: dict[str, dict[str, str]] = {}
    for name, layout in LAYOUTS.items():
        if (found := layout.columns(rows, seen, columns)) is not None:
            # The general layouts would often fit its columns as well, and then nothing could be chosen.
            if name not in GENERAL:
                fitting = {name: found}
                break
            fitting[name] = found
    if not fitting:
        if (inside := rows_inside(rows)) is not None:
            raise InputError(
                f"{source}: the file is one object, and its rows seem to stand in {inside}. Write these out as JSON "
                "lines, one a row, and read that file."
            )
        raise InputError(
            f"{source}: no known layout has the columns {listed(seen)}. {WAY_OUT}\n"
            "Or correct this draft, save it as layout.yaml and give --layout layout.yaml (docs/data.md):\n\n"
            f"{draft_layout(rows, seen)}"
        )
    if len(fitting) > 1:
        names = " and ".join(fitting)
        raise InputError(f"{source}: the columns fit the layouts {names}. Choose one: --layout {next(iter(fitting))}")
    name, names_found = next(iter(fitting.items()))
    return general_plan(name, names_found, rows, config, source)


def named(config: DataConfig, rows: Sequence[Row], seen: list[str], columns: Mapping[str, str], source: str) -> Plan:
    """The layout the user named, by name or by its file."""
    own = config.layout.endswith(ENDS)
    mapped = own_layout(config.layout) if own else known_layouts().get(config.layout)
    if mapped is not None:
        refuse_absent(mapped, seen, source)
        return mapped_plan(with_stated(mapped, columns), config)
    layout = LAYOUTS.get(config.layout)
    if layout is None:
        names = ", ".join((*LAYOUTS, *known_layouts()))
        raise ConfigError(f"There is no layout {config.layout!r}. Layouts: auto, {names}; or a file, layout.yaml.")
    found = layout.columns(rows, seen, columns)
    if found is None:
        raise InputError(
            f"{source}: layout {config.layout} ({layout.about}) does not fit the columns {listed(seen)}. {WAY_OUT}"
        )
    return general_plan(config.layout, found, rows, config, source)


def general_plan(name: str, names: Mapping[str, str], rows: Sequence[Row], config: DataConfig, source: str) -> Plan:
    """The plan of a layout of LAYOUTS. Raises InputError where its labels could mean either side."""
    layout, columns = LAYOUTS[name], Columns(names, config.labels)
    if name in ROWS_OF:
        return replace(mapped_plan(ROWS_OF[name](columns, layout.about), config), name=name)
    if name not in BY_LABEL:
        return Plan(name=name, layout=layout, columns=columns, gather=layout.gather, expand=layout.expand)
    labels, votes = ([columns.pick(row.data, role) for row in rows] for role in ("label", "votes"))
    seen = labels_seen(labels, votes, columns.spelling)
    numbers = column_numbers((names["left"], names["right"]), names.get("label"), seen, config.labels)
    columns = Columns(names, config.labels, numbers)
    refuse_unknown(seen, columns.spelling, source)
    said = f"; the label 0 is a tie ({seen['0']} in the first rows)" if numbers.get("0") == "tie" else ""
    about = layout.about + said
    if name == "vote_rows":
        return replace(mapped_plan(vote_rows(columns, about), config), name=name)
    return Plan(name=name, layout=replace(layout, about=about), columns=columns)


def mapped_plan(layout: MappedLayout, config: DataConfig) -> Plan:
    """The plan of a layout in the mapping language; what it reads is compiled here, once."""
    alone = config.objective if any(one.objective for one in layout.verdicts) else None
    if alone is not None:
        layout = by_objective(layout, alone)
    found = compiled(layout, config.labels)
    return Plan(
        name=layout.name,
        layout=Layout(
            about=layout.about or "a layout of your own",
            columns=lambda rows, seen, stated: layout.columns(),
            build=lambda row, columns: found.build(row),
        ),
        columns=Columns(layout.columns(), config.labels),
        gather=found.gather,
        systems=layout.systems or next((verdict.names for verdict in layout.verdicts if verdict.names), ()),
        least_difference=max((verdict.least_difference for verdict in layout.verdicts), default=0.0),
        objective=alone,
    )
