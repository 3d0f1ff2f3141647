"""`assay check` and `assay split`: what is in a data set, and two sides of it without leaks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.data.config import CheckConfig, SplitRunConfig
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.artifacts.contract_body import AgreementReport, ColumnCounts, ContractBody, LengthReport, OverlapReport
    from assay.artifacts.split_body import SplitBody

Data = Annotated[str, typer.Argument(help="Preference pairs: a file, a folder, or a Hugging Face dataset id.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")]


def register(app: typer.Typer) -> None:
    """Add `assay check` and `assay split`."""
    app.command("check", epilog="Example: assay check pairs.jsonl --out checked")(check)
    app.command("split", epilog="Example: assay split pairs.jsonl --holdout 1000 --out sides")(split)


@with_data_options
def check(
    data: Data,
    out: Out,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Check every row against the pair contract: what is kept, what is not and why, agreement, overlap, lengths.

    Writes contract.json, rejects.jsonl and review.jsonl. Rows are streamed: a million pairs take under 1.5 GiB.
    Options are those of `assay reward` under data, such as --set data.min_agreement=0.7; its file may be given whole.
    """
    from assay.data import check as run_check
    from assay.data.intake import no_pair
    from assay.flows.project_config import ProjectConfig

    settings = options.settings(CheckConfig, family=ProjectConfig)
    with progress() as told:
        found = run_check(data, out, config=settings.data, progress=told)
    output(found.report.model_dump(mode="json"), summary(found.report, out), as_json=as_json)
    if not found.kept:
        raise InputError(no_pair(data, found.rows, found.rejects))


@with_data_options
def split(
    data: Data,
    out: Out,
    holdout: Annotated[int | None, typer.Option(help="Pairs held out, exactly.", min=1)] = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Split pairs into training and held-out, in whole groups of prompts, each category in proportion.

    Writes train.jsonl, held_out.jsonl and split.json, the proof that no group and no prompt is on both sides.
    Options are those of `assay reward` under data and split, such as --set split.rounding=nearest.
    """
    from assay.data import read_pairs
    from assay.data import split as run_split
    from assay.data.native_rows import write_split
    from assay.flows.project_config import ProjectConfig

    settings = options.settings(SplitRunConfig, {"split.holdout": holdout}, family=ProjectConfig)
    found = read_pairs(data, config=settings.data)
    sides = run_split(found.pairs, config=settings.split, groups=found.groups)
    body = write_split(out, sides, inputs=found.report.inputs)
    output(body.model_dump(mode="json"), split_summary(body, found.report, out), as_json=as_json)


@contextmanager
def progress() -> Iterator[Callable[[int], None] | None]:
    """Rows read so far, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with notes().status("reading rows") as status:
        yield lambda rows: status.update(f"{rows:,} rows read")


def summary(report: ContractBody, out: Path) -> str:
    """A check for people."""
    from rich.markup import escape

    rows = report.rows
    lines = [f"[bold]{rows:,} rows[/]: {report.kept:,} pairs kept, {report.rejected:,} rejected"]
    if report.layout:
        lines.append(f"layout     {report.layout.name}: {escape(report.layout.about)}")
    lines += column_lines(report.columns)
    if found := report.candidates:
        lines.append(
            f"candidates {found.answers:,} answers to {found.rows:,} prompts; each of the {found.comparisons:,} "
            "comparisons between them counts as a row"
        )
    rejects = [(reason, count) for reason, count in report.rejects.items() if count]
    lines += [f"[yellow]{reason:<22}[/] {count:>9,}  {count / rows:6.1%}" for reason, count in by_size(rejects)]
    if len(report.by_category) > 1:
        lines.append("category                    kept   rejected")
        lines += [
            f"{escape(name)[:22]:<22} {count.kept:>9,}  {count.rejected:>9,}"
            for name, count in report.by_category.items()
        ]
    lines += agreement_lines(report.agreement) + overlap_lines(report.overlap) + length_lines(report.lengths)
    lines += [f"[yellow]warning[/]    {escape(text)}" for text in report.warnings]
    review = f" ({report.for_review:,} rows to adjudicate in review.jsonl)" if report.for_review else ""
    return "\n".join([*lines, f"written    {escape(str(out))}/contract.json, rejects.jsonl, review.jsonl{review}"])


def column_lines(columns: Mapping[str, ColumnCounts]) -> list[str]:
    """Every source column: those read, with their role, and those that are not."""
    from rich.markup import escape

    read = [
        escape(name if use.role == name else f"{use.role}={name}")
        for name, use in columns.items()
        if use.role not in ("unused", "ignored")
    ]
    lines = [f"columns    {', '.join(read)}"] if read else []
    for role in ("ignored", "unused"):
        names = [escape(name) for name, use in columns.items() if use.role == role and use.rows]
        lines += [f"{role:<10} {', '.join(names)}"] if names else []
    return lines


def by_size(rejects: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(rejects, key=lambda item: (-item[1], item[0]))


def agreement_lines(agreement: AgreementReport | None) -> list[str]:
    if agreement is None:
        return []
    share = agreement.mean_majority_share
    if share is None:
        return [f"votes      {agreement.votes:,}, never two on one pair: agreement unknown"]
    left = agreement.picked_left_share
    shown = "" if left is None else f"; the left answer was picked in {left:.1%} of {agreement.votes_with_position:,}"
    return [
        f"votes      {agreement.votes:,} on {agreement.rows_with_votes:,} rows: the majority has {share:.1%} "
        f"on average, {agreement.unanimous_share:.1%} unanimous{shown}"
    ]


def overlap_lines(overlap: OverlapReport) -> list[str]:
    near = overlap.near_duplicate_prompts
    near_text = "near-duplicates not looked for" if near is None else f"{near:,} with a near-duplicate"
    line = f"prompts    {overlap.distinct_prompts:,} distinct, {near_text}; {overlap.groups:,} groups"
    largest = overlap.largest_group
    return [line + ("" if largest is None else f", the largest with {largest.pairs:,} pairs ({largest.share:.1%})")]


def length_lines(lengths: LengthReport | None) -> list[str]:
    if lengths is None:
        return []
    sides = {"prompt": lengths.prompt, "chosen": lengths.chosen, "rejected": lengths.rejected}
    medians = ", ".join(f"{side} {figures.median:,}" for side, figures in sides.items())
    longer = lengths.longer_is_chosen_share
    share = "" if longer is None else f"; the longer answer is the chosen one in {longer:.1%}"
    return [f"characters median {medians}{share}"]


def split_summary(body: SplitBody, report: ContractBody, out: Path) -> str:
    """A split for people."""
    from rich.markup import escape

    lines = [
        f"[bold]{body.pairs_train:,} training and {body.pairs_held_out:,} held-out pairs[/] "
        f"of {report.rows:,} rows ({report.rejected:,} rejected)"
    ]
    if body.pairs_held_out != body.holdout_wanted:
        lines.append(f"[yellow]{body.holdout_wanted:,} were asked for; this is the nearest whole groups make[/]")
    lines.append(
        f"groups     {body.groups_train:,} and {body.groups_held_out:,}, {body.shared_groups} on both sides; "
        f"prompts {body.prompts_train:,} and {body.prompts_held_out:,}, {body.shared_prompts} on both sides"
    )
    if len(body.categories) > 1:
        lines.append("category                   pairs   held out     wanted")
        lines += [
            f"{escape(name)[:22]:<22} {part.pairs:>9,}  {part.held_out:>9,}  {part.wanted:>9,.1f}"
            for name, part in body.categories.items()
        ]
    lines += [f"[yellow]warning[/]    {escape(text)}" for text in report.warnings]
    return "\n".join([*lines, f"written    {escape(str(out))}/train.jsonl, held_out.jsonl, split.json"])
