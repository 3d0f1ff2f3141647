"""`assay audit`: audit any scorer on labelled pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.engine_options import LOCAL, EngineOptions
from assay.cli.options import Json, Probes, ScorerArgument, TemplateOption, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import rests_on_lines, ways_out

NAME_WIDTH = 36  # characters of a category in its column

if TYPE_CHECKING:
    from assay.artifacts.audit_body import AuditTables
    from assay.artifacts.audit_groups_table import GroupTable
    from assay.audits import Audit
    from assay.flows.audit import ScorerAudit


def register(app: typer.Typer) -> None:
    app.command("audit", epilog="Example: assay audit runs/a/seed-0/model pairs.jsonl --out audits/a")(audit)


@with_data_options
def audit(
    scorer: ScorerArgument,
    data: Annotated[str, typer.Argument(help="Labelled pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets audit.json.")],
    template: TemplateOption = None,
    probes: Probes = None,
    trained_on: Annotated[
        str | None,
        typer.Option(
            "--trained-on",
            metavar="DATA",
            help="Pairs the scorer was trained on: leaks are found and counted.",
            show_default=False,
        ),
    ] = None,
    engine: EngineOptions = LOCAL,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Audit any scorer on labelled pairs: accuracy, what length explains, distribution, calibration, worst mistakes.

    Of a run folder every seed is audited, together. Rows that are no definite pairs are left out by the pair contract
    and counted (contract.json, rejects.jsonl); pairs that the scorer cannot read whole are left out, counted and named
    in left_out.jsonl, and are not wrong ones. Pairs should be ones the scorer was not trained on; --trained-on checks
    it where that is known. Options are those of `assay reward` under data and audit, such as --set audit.level=0.9, of
    probes (--set probes.pairs=400) and of a server (--set remote.concurrency=64); its file may be given whole. An audit
    that was interrupted while it scored answers for probes goes on there. With --engine ray, several workers score,
    with the bits of a single process of as many threads, and all of it goes on; prompts that ended every worker that
    took them are left out and named, and the exit code is 2.
    """
    from assay.bulk.held_work import ScorerOpening
    from assay.bulk.spread_scorer import refuse_aside
    from assay.flows.audit import ScorerAuditConfig
    from assay.flows.project_config import ProjectConfig
    from assay.flows.spread_audit import audit_by
    from assay.scorers.open import of_a_server
    from assay.scorers.remote.config import RemoteConfig

    more = {} if probes is None else {"probes.names": probes}
    settings = options.settings(ScorerAuditConfig, more, family=ProjectConfig)
    if not (of_a_server(scorer) or options.sets_any("remote")):
        settings = settings.model_copy(update={"remote": RemoteConfig()})
    opening = ScorerOpening(scorer=scorer, template=template)
    found, aside = audit_by(engine.crewing(), opening, data, out, config=settings, trained_on=trained_on, notify=_noted)
    left_out = len(found.left_out)
    body = {**found.audit.to_dict(), "rows": found.rows, "rejected_rows": found.rejects, "left_out": left_out}
    text = summary(found, out)
    output({**body, "folder": str(out)}, text, as_json=as_json)
    refuse_aside(aside)


def _noted(line: str) -> None:
    notes().print(line, markup=False, style="dim")


def summary(told: ScorerAudit, out: Path) -> str:
    """What the audit rests on, then the main findings, one a line, in rich markup."""
    from rich.markup import escape

    from assay.audits.label_quality.ceiling_words import ceiling_bounds
    from assay.audits.pairs.length_rule import rule_to_beat
    from assay.findings.slice import OVERALL
    from assay.gate.every_figure import EVERY_FIGURE

    found = told.audit
    bounds = ceiling_bounds(found.find("noise_ceiling"))
    shown = EVERY_FIGURE.shown_in("terminal")
    colours = {"ok": "green", "warning": "yellow", "problem": "red", "too_few": "dim", None: "dim"}
    lines = [
        f"[bold]audit[/] of {found.pairs:,} pairs ({told.rejects:,} rows were no definite pairs)  {escape(str(out))}",
        *rests_on_lines(told.rests_on),
        *left_out_lines(told.left_out, out),
    ]
    for finding in found.findings:
        if finding.name not in shown or finding.slice != OVERALL or finding.seed is not None:
            continue
        written = ",.0f" if finding.unit == "values" else ".3f"
        said = f"{finding.known:{written}}" if finding.known is not None else f"unknown: {finding.reason}"
        if finding.bounds:
            said += f"  ({finding.bounds.low:.3f} to {finding.bounds.high:.3f})"
        if finding.name == "accuracy" and bounds is not None:
            said += f", best reader of such labels {bounds.low:.3f} to {bounds.high:.3f}"
        if named := finding.detail.get("named"):
            said += f"  {named}"
        judged = (finding.verdict or "-").replace("_", " ")
        lines.append(
            f"  [{colours[finding.verdict]}]{judged:<8}[/] {finding.name.replace('_', ' '):<27} {escape(said)}"
        )
    spread = found.find("seed_spread")
    for seed in spread.detail.get("dead_seeds", []) if spread is not None else []:
        lines.append(f"  [red]seed {seed} learned next to nothing while others did: leave its model out of use[/]")
    lines += objective_lines(found)
    lines += probe_lines(found.tables)
    lines += [f"  [yellow]{escape(line)}[/]" for line in ways_out(found.findings)]
    if rule := rule_to_beat(found.find("length_baseline")):
        lines.append(
            f"  people preferred {rule.answer} on {rule.share:.1%} of the pairs: {rule.words} is the rule to beat"
        )
    for row in found.tables["categories"]:
        interval = row["interval"]
        span = f"{interval['low']:.3f} to {interval['high']:.3f}, " if interval else ""
        lines.append(
            f"  {escape(shortened(row['category'])):<{NAME_WIDTH}} accuracy {row['accuracy']:.3f} "
            f"({span}{row['n']:,} pairs), longest wins {row['length_baseline']:.3f}"
        )
    if told.no_groups is not None:
        lines.append(f"  [yellow]candidates were audited as pairs only, not as groups: {escape(told.no_groups)}[/]")
    return "\n".join([*lines, *group_lines(found.tables.get("groups"))])


def objective_lines(found: Audit) -> list[str]:
    """Of a combined reward, each objective: what is left of its order, beside its own reward on the same pairs."""
    from rich.markup import escape

    lines = []
    for one in (one for one in found.findings if one.name == "objective_accuracy" and one.known is not None):
        alone = found.find("objective_alone", one.slice)
        span = f" ({one.bounds.low:.3f} to {one.bounds.high:.3f})" if one.bounds else ""
        beside = "" if alone is None or alone.known is None else f", its own reward {alone.known:.3f}"
        name = escape(shortened(one.slice.label))
        lines.append(f"  objective {name:<26} combined {one.known:.3f}{span}{beside}, {one.n:,} pairs")
    return lines


def shortened(name: str) -> str:
    """A category's name, cut where it would break the column; whole it stands in audit.json."""
    return name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 3]}..."


def group_lines(table: GroupTable | None) -> list[str]:
    """Groups of candidates by size: what the reward picks, beside a blind pick and both length rules."""
    if table is None:
        return []
    lines = [
        f"  {row['groups']:,} groups of {row['size']:<3} top-1 {row['top1']:.3f}, blind {row['chance']:.3f}, longest "
        f"{row['longest']:.3f}, shortest {row['shortest']:.3f}"
        for row in table["sizes"]
    ]
    aside = ", ".join(f"{count:,} since {why}" for why, count in table["set_aside"].items())
    return [*lines, f"  groups set aside: {aside}"] if aside else lines


def probe_lines(tables: AuditTables) -> list[str]:
    """Each probe with its rate, what is tolerated, and what it does to rankings; what was passed over is said."""
    table = tables.get("probes")
    if table is None:
        return []
    kinds = {
        "added": "raises the rejected answer in",
        "instead": "beats the preferred answer in",
        "surface": "turns the order in",
        "against": "beats an answer that does not know in",
    }
    lines = []
    for row in table["rows"]:
        name = row["probe"].replace("_", " ")
        if row["rate"] is None:
            lines.append(f"  probe {name:<18} {row['words']}: unknown, see audit.json")
            continue
        span = (
            "" if row["low"] is None else f" ({row['low']:.1%} to {row['high']:.1%}, tolerated {row['tolerated']:.0%})"
        )
        overtakes = "" if row["overtakes"] is None else f"; of right rankings it turns {row['overtakes']:.1%}"
        unscored = "" if not row["unscored"] else f"; {row['unscored']} without a reward"
        lines.append(
            f"  probe {name:<18} {row['words']}: {kinds[row['kind']]} {row['rate']:.1%} of {row['n']}{span}"
            f"{overtakes}{unscored}"
        )
    if table["skipped"]:
        lines.append(
            f"  {table['skipped']} pairs were passed over by the probes: their answers are not in Latin script"
        )
    return lines


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
