"""`assay audit`: audit any scorer on labelled pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, ScorerArgument, TemplateOption, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.train.reward_config import RewardConfig

if TYPE_CHECKING:
    from assay.audits import Audit


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
    and counted; pairs that the scorer cannot read whole are left out, counted and named in left_out.jsonl. Pairs should
    be ones the scorer was not trained on; nothing here can check that for a foreign scorer. Options are
    those of `assay reward` under data and audit, such as --set audit.level=0.9; its file may be given whole.
    """
    from assay.flows.audit import LEFT_OUT, ScorerAuditConfig, audit_scorer

    settings = options.settings(ScorerAuditConfig, family=RewardConfig)
    found = audit_scorer(scorer, data, out, config=settings, template=template)
    left_out = len(found.left_out)
    body = {**found.audit.to_dict(), "rows": found.rows, "rejected_rows": found.rejects, "left_out": left_out}
    text = summary(found.audit, out, rejects=found.rejects)
    if left_out:
        text += f"\n  {left_out:,} pairs left out that the scorer cannot read whole: {out / LEFT_OUT}"
    output({**body, "folder": str(out)}, text, as_json=as_json)


def summary(found: Audit, out: Path, *, rejects: int) -> str:
    """The main findings, one a line, in rich markup."""
    from rich.markup import escape

    from assay.audits.pairs.pair_meanings import MEANINGS
    from assay.findings.slice import OVERALL

    shown = MEANINGS.shown_in("terminal")
    colours = {"ok": "green", "warning": "yellow", "problem": "red", "too_few": "dim", None: "dim"}
    lines = [f"[bold]audit[/] of {found.pairs:,} pairs ({rejects:,} rows were no definite pairs)  {escape(str(out))}"]
    for finding in found.findings:
        if finding.name not in shown or finding.slice != OVERALL or finding.seed is not None:
            continue
        said = f"{finding.known:.3f}" if finding.known is not None else f"unknown: {finding.reason}"
        if finding.bounds:
            said += f"  ({finding.bounds.low:.3f} to {finding.bounds.high:.3f})"
        judged = finding.verdict or "-"
        lines.append(
            f"  [{colours[finding.verdict]}]{judged:<8}[/] {finding.name.replace('_', ' '):<27} {escape(said)}"
        )
    for row in found.tables["categories"]:
        lines.append(
            f"  {escape(row['category']):<36} accuracy {row['accuracy']:.3f}, longest wins {row['length_baseline']:.3f}"
        )
    return "\n".join(lines)
