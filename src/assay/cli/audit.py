"""`assay audit`: audit any scorer on labelled pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, ScorerArgument, TemplateOption, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import rests_on_lines, ways_out
from assay.train.reward_config import RewardConfig

if TYPE_CHECKING:
    from assay.flows.audit import ScorerAudit


def register(app: typer.Typer) -> None:
    app.command("audit", epilog="Example: assay audit runs/a/seed-0/model pairs.jsonl --out audits/a")(audit)


@with_data_options
def audit(
    scorer: ScorerArgument,
    data: Annotated[str, typer.Argument(help="Labelled pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets audit.json.")],
    template: TemplateOption = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Audit any scorer on labelled pairs: accuracy, what length explains, distribution, calibration, worst mistakes.

    Of a run folder every seed is audited, together. Rows that are no definite pairs are left out by the pair contract
    and counted (contract.json, rejects.jsonl); pairs that the scorer cannot read whole are left out, counted and named
    in left_out.jsonl, and are not wrong ones. Pairs should
    be ones the scorer was not trained on; nothing here can check that for a foreign scorer. Options are
    those of `assay reward` under data and audit, such as --set audit.level=0.9; its file may be given whole; and those
    of a server under remote, such as --set remote.concurrency=64.
    """
    from assay.flows.audit import ScorerAuditConfig, audit_scorer

    settings = options.settings(ScorerAuditConfig, family=RewardConfig)
    found = audit_scorer(scorer, data, out, config=settings, template=template)
    left_out = len(found.left_out)
    body = {**found.audit.to_dict(), "rows": found.rows, "rejected_rows": found.rejects, "left_out": left_out}
    text = summary(found, out)
    output({**body, "folder": str(out)}, text, as_json=as_json)


def summary(told: ScorerAudit, out: Path) -> str:
    """What the audit rests on, then the main findings, one a line, in rich markup."""
    from rich.markup import escape

    from assay.audits.pairs.length_rule import rule_to_beat
    from assay.audits.pairs.pair_meanings import MEANINGS
    from assay.findings.slice import OVERALL

    found = told.audit
    shown = MEANINGS.shown_in("terminal")
    colours = {"ok": "green", "warning": "yellow", "problem": "red", "too_few": "dim", None: "dim"}
    lines = [
        f"[bold]audit[/] of {found.pairs:,} pairs ({told.rejects:,} rows were no definite pairs)  {escape(str(out))}",
        *rests_on_lines(told.rests_on),
        *left_out_lines(told.left_out, out),
    ]
    for finding in found.findings:
        if finding.name not in shown or finding.slice != OVERALL or finding.seed is not None:
            continue
        said = f"{finding.known:.3f}" if finding.known is not None else f"unknown: {finding.reason}"
        if finding.bounds:
            said += f"  ({finding.bounds.low:.3f} to {finding.bounds.high:.3f})"
        judged = (finding.verdict or "-").replace("_", " ")
        lines.append(
            f"  [{colours[finding.verdict]}]{judged:<8}[/] {finding.name.replace('_', ' '):<27} {escape(said)}"
        )
    lines += [f"  [yellow]{escape(line)}[/]" for line in ways_out(found.findings)]
    if rule := rule_to_beat(found.find("length_baseline")):
        lines.append(
            f"  people preferred {rule.answer} on {rule.share:.1%} of the pairs: {rule.words} is the rule to beat"
        )
    for row in found.tables["categories"]:
        interval = row["interval"]
        span = f"{interval['low']:.3f} to {interval['high']:.3f}, " if interval else ""
        lines.append(
            f"  {escape(row['category']):<36} accuracy {row['accuracy']:.3f} ({span}{row['n']:,} pairs), "
            f"longest wins {row['length_baseline']:.3f}"
        )
    return "\n".join(lines)


def left_out_lines(left_out: Mapping[str, str], out: Path) -> list[str]:
    """Pairs of which an answer could not be taken: how many, that they are not counted as wrong, the first reason."""
    from rich.markup import escape

    from assay.flows.audit import LEFT_OUT

    if not left_out:
        return []
    name, why = next(iter(left_out.items()))
    pairs = f"{len(left_out):,} {'pair' if len(left_out) == 1 else 'pairs'}"
    return [
        f"  [yellow]{pairs} left out, not counted as wrong, since an answer got no reward. The first, {escape(name)}: "
        f"{escape(why)}. All: {escape(str(out / LEFT_OUT))}[/]"
    ]
