"""`assay objectives`: which objectives the pairs of a data set are by, and what the contract makes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from assay.cli.data import Data
from assay.cli.options import Json, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.data.config import CheckConfig

if TYPE_CHECKING:
    from assay.data.objectives import ObjectiveCounts, Objectives


def register(app: typer.Typer) -> None:
    app.command("objectives", epilog="Example: assay objectives pairs.jsonl")(objectives)


@with_data_options
def objectives(data: Data, options: DataOptions = UNSET, as_json: Json = False) -> None:
    """List the objectives of a data set (helpful, harmless, better, safer): pairs kept, rejected, agreement of each.

    A pair's objective stands in the column or the source field `objective`, in the outcomes of its layout, or else in
    its category. Any command that reads pairs takes one objective alone: assay check DATA --objective helpful.
    """
    from assay.data import read_pairs
    from assay.data.intake import no_pair
    from assay.data.objectives import by_objective, objective_counts
    from assay.errors import InputError
    from assay.flows.project_config import ProjectConfig

    settings = options.settings(CheckConfig, family=ProjectConfig)
    read = read_pairs(data, config=settings.data)
    if not read.pairs:
        raise InputError(no_pair(data, read.rows, read.report.rejects))
    found = by_objective(read.pairs)
    counts = objective_counts(data, found, config=settings.data)
    body = {
        "by": found.by,
        "without": found.without,
        "shared": found.shared,
        "opposed": found.opposed,
        "objectives": [one.to_dict() for one in counts],
    }
    output(body, told(found, counts), as_json=as_json)


def told(found: Objectives, counts: list[ObjectiveCounts]) -> str:
    from rich.markup import escape

    lines = [f"{len(counts)} objectives, by {'what the pairs state' if found.by == 'objective' else 'category'}"]
    lines.append(f"{'objective':<20} {'pairs':>8} {'rejected':>9} {'prompts':>8}  {'majority share of votes':<24}")
    for one in counts:
        share = "no votes" if one.majority_share is None else f"{one.majority_share:.1%} of {one.votes:,} votes"
        lines.append(f"{escape(one.name)[:20]:<20} {one.kept:>8,} {one.rejected:>9,} {one.prompts:>8,}  {share}")
    if found.without:
        lines.append(f"[yellow]{found.without:,} pairs state none[/]")
    if found.shared:
        lines.append(
            f"{found.shared:,} pairs of answers are judged by more than one objective; {found.opposed:,} of them are "
            "ordered in opposite ways"
        )
    return "\n".join(lines)
