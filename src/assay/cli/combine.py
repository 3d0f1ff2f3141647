"""`assay models combine`: several objectives' scorers as one reward, written as the file of `combined:FILE.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from assay.cli.options import Json, output
from assay.cli.reading import with_data_options
from assay.cli.verdicts import EXIT

if TYPE_CHECKING:
    from assay.scorers.combined.combination_file import Combination, Rule
    from assay.scorers.combined.combine import CombinePlan

Numbers = list[str] | None
EXAMPLE = (
    "Example: assay models combine helpful=runs/a/seed-0/model harmless=runs/b/seed-0/model --data pairs.jsonl "
    "--weight helpful=1,harmless=2 --out hh.yaml"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOptions:
    """What the three rules take; each option is of the rule it names."""

    weight: Annotated[Numbers, typer.Option(metavar="NAME=NUMBER,...", help="weights: stated, of every one.")] = None
    overall: Annotated[str | None, typer.Option(metavar="FILE", help="weights: fitted to overall preferences.")] = None
    tolerance: Annotated[
        Numbers, typer.Option(metavar="NAME=NUMBER,...", help="lexicographic: within it answers are equal.")
    ] = None
    maximise: Annotated[str | None, typer.Option(metavar="NAME", help="constrained: what is maximised.")] = None
    threshold: Annotated[
        Numbers, typer.Option(metavar="NAME=NUMBER,...", help="constrained: what the others have to be above.")
    ] = None
    confidence: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999, help="constrained: chance that people find it above the threshold; else 0.8."),
    ] = None
    validate: Annotated[
        str | None, typer.Option(metavar="FILE", help="constrained: slice of the dual weights; else a fifth of --data.")
    ] = None

    def plan(self, rule: Rule, scorers: dict[str, str], data: Sequence[str]) -> CombinePlan:
        from assay.scorers.combined.combine import CombinePlan

        asked = 0.8 if rule == "constrained" and self.confidence is None else self.confidence
        return CombinePlan(
            rule=rule,
            scorers=scorers,
            data=[_data(one, scorers) for one in data],
            weights=_numbers(self.weight, "--weight"),
            overall=self.overall,
            tolerances=_numbers(self.tolerance, "--tolerance"),
            maximise=self.maximise,
            thresholds=_numbers(self.threshold, "--threshold"),
            confidence=asked,
            validation=self.validate,
        )


def register(group: typer.Typer) -> None:
    """Add `combine` to the group of `assay models`."""
    group.command("combine", epilog=EXAMPLE)(combine)


UNSET = RuleOptions()


@with_data_options
def combine(
    objectives: Annotated[list[str], typer.Argument(metavar="NAME=SCORER...", help="Objectives, the first one first.")],
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            metavar="[NAME=]FILE",
            help="Pairs that set the scales and draw the curves: of one objective (helpful=FILE), or a file whose "
            "pairs state theirs. May be repeated.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.yaml", help="File that combined:FILE.yaml reads.")],
    rule: Annotated[str, typer.Option(metavar="weights|lexicographic|constrained", help="How they become one.")] = (
        "weights"
    ),
    options: RuleOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Put the scorers of several objectives (helpful, harmless, ...) into one reward, and draw what it trades.

    Each scorer is standardised on the files named; all numbers are in these standard deviations. Writes FILE.yaml, and
    FILE.html with the trade-off curves. Exit code 0: decided; 3: undecided, as where no answer keeps all constraints;
    2: bad input. Audit it like any scorer: assay audit combined:FILE.yaml PAIRS --out DIR.
    """
    from assay.report.combine.combine_page import render_combine
    from assay.scorers.combined.combine import combine as put_together
    from assay.scorers.open import open_scorer

    if rule not in ("weights", "lexicographic", "constrained"):
        raise typer.BadParameter(f"{rule!r}: there are weights, lexicographic and constrained.", param_hint="--rule")
    scorers = dict(_named(one, "NAME=SCORER") for one in objectives)
    if len(scorers) < len(objectives):
        raise typer.BadParameter("an objective is named twice.", param_hint="NAME=SCORER")
    plan = options.plan(cast("Rule", rule), scorers, data)
    plan.check()
    found = put_together(plan, {name: open_scorer(text) for name, text in scorers.items()})
    found.write(out)
    page = render_combine(found, out.with_suffix(".html"), file=str(out))
    output({"out": str(out), "page": str(page), **found.model_dump(mode="json")}, _told(found, out), as_json=as_json)
    if found.outcome == "undecided":
        raise typer.Exit(EXIT["undecided"])


def _data(text: str, scorers: dict[str, str]) -> tuple[str, str]:
    """(objective, file); a path may hold "=" itself, so only the name of an objective is taken off."""
    name, equals, path = text.partition("=")
    return (name, path) if equals and (name in scorers or "/" not in name) else ("", text)


def _named(text: str, what: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise typer.BadParameter(f"{text!r}: expected {what}, such as helpful=runs/helpful/seed-0/model.")
    return name.strip(), value.strip()


def _numbers(texts: Sequence[str] | None, option: str) -> dict[str, float]:
    """`a=1,b=2`, given once or several times."""
    found: dict[str, float] = {}
    for part in (part for text in texts or () for part in text.split(",") if part.strip()):
        name, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise typer.BadParameter(f"{part!r}: expected name=number, such as helpful=1.", param_hint=option) from None
        if name.strip() in found:
            raise typer.BadParameter(f"{name.strip()} is given twice.", param_hint=option)
        found[name.strip()] = number
    return found


def _told(found: Combination, out: Path) -> str:
    from rich.markup import escape

    from assay.report.combine.combine_page import measured, said_of

    lines = [f"[bold]{found.rule}[/]" + (" [yellow]undecided[/]" if found.outcome == "undecided" else "")]
    lines += [f"  {escape(one.name):<14} {escape(said_of(one, found))}" for one in found.objectives]
    if found.measured:
        lines.append(f"{'pairs of':<16} {'pairs':>7}  {'its own scorer':<24} combined")
    for row in map(measured, found.measured):
        alone = f"{row['alone']} ({row['alone_span']})"
        lines.append(
            f"{escape(row['name']):<16} {row['pairs']:>7}  {alone:<24} {row['combined']} ({row['combined_span']})"
        )
    lines += [f"[yellow]{escape(reason)}[/]" for reason in found.reasons]
    lines += [escape(f"{note[0].upper()}{note[1:]}.") for note in found.notes]
    way = "" if found.outcome == "undecided" else f"; audit it: assay audit combined:{out} PAIRS --out DIR"
    return "\n".join([*lines, escape(f"written {out} and {out.with_suffix('.html')}{way}")])
