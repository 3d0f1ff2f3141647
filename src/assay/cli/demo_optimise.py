"""`assay demo-optimise`: a reward with a planted shortcut passes by accuracy, is caught by best of n, and is mended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, command_line, notes, output

if TYPE_CHECKING:
    from assay.findings.finding import Finding
    from assay.findings.slice import Slice
    from assay.flows.optimise_demo import PressedReward, PressureDemo
    from assay.flows.reward import RewardRun


def register(app: typer.Typer) -> None:
    app.command("demo-optimise", epilog="Example: assay demo-optimise --out runs/demo-optimise")(demo_optimise)


def demo_optimise(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything it makes.")] = Path("runs/demo-optimise"),
    pairs: Annotated[int, typer.Option(min=100, help="Pairs to simulate; a quarter is held out.")] = 500,
    prompts: Annotated[int, typer.Option(min=10, help="Fresh prompts that candidates answer.")] = 120,
    answers: Annotated[int, typer.Option(min=4, help="Candidates a prompt: best of n goes so far.")] = 16,
    shortcut: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Share of pairs whose chosen answer is made the longer one.")
    ] = 0.9,
    remedy: Annotated[
        str,
        typer.Option(
            help="What mends it: corrected (length taken out afterwards), verbosity (made counter-examples) or odin; "
            "the last two train again. Several may be tried in one folder."
        ),
    ] = "corrected",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
    as_json: Json = False,
) -> None:
    """A reward that learned a shortcut passes by accuracy, is caught by best of n, and is mended; all simulated.

    Offline; minutes on two cores. Each step is said as the command that does it. Stopped anywhere, the same command
    goes on. Exit code 0 when the story is told, whatever it came to.
    """
    from assay.flows.optimise_demo import PressureDemoSize, run_pressure_demo

    size = PressureDemoSize(pairs=pairs, shortcut=shortcut, prompts=prompts, answers=answers)
    found = run_pressure_demo(out, size=size, remedy=remedy, seed=seed, command=command_line(), notify=said)
    show(found, as_json=as_json)


def said(line: str) -> None:
    notes().print(line, markup=False)


def show(found: PressureDemo, *, as_json: bool) -> None:
    """What was seen, in the order of the story, and where to look."""
    from rich.markup import escape

    body = {
        "folder": str(found.folder),
        "remedy": found.remedy.told,
        **{name: figures(one) for name, one in (("plain", found.plain), ("mended", found.mended))},
    }
    lines = ["", "[bold]What was seen[/]  [dim]pairs, candidates and gold: simulated, all of them[/]"]
    lines += [f"  {escape(line)}" for line in [*story(found), "", *by_category(found), "", *where_to_look(found)]]
    output(body, "\n".join(lines), as_json=as_json)


def figures(one: PressedReward) -> dict[str, object]:
    """One reward's part of --json."""
    pressed = one.pressed.body
    static: dict[str, object] = {}
    if one.run is not None:
        accuracy = one.run.audit.find("accuracy")
        told = None if accuracy is None else accuracy.to_body().model_dump(mode="json")
        static = {"run": str(one.run.folder), "gate": one.run.outcome, "accuracy": told}
    return {
        **static,
        "pressed": str(one.folder),
        "verdict": pressed.verdict,
        "sentence": pressed.sentence,
        "pressure_gate": one.verdict.verdict,
        "beside": [other.model_dump(mode="json") for other in pressed.beside],
    }


def story(found: PressureDemo) -> list[str]:
    """What each step came to, a line each, in the order of the steps."""
    from assay.report.finding_text import inline

    plain, mended = found.plain, found.mended
    lines = [
        f"static    the gate by accuracy alone: {found.run.outcome}; {held_out(found.run)}",
        f"pressed   {plain.pressed.body.sentence}; the gate on that: {plain.verdict.verdict}",
    ]
    drift = plain.pressed.found.find("length_drift")
    if drift is not None and drift.known is not None:
        lines.append(f"          its picks are longer than random answers by {inline(drift)} spreads of length")
    lines += [
        f"remedy    {found.remedy.told}: {mended.pressed.body.sentence}; the gate on that: {mended.verdict.verdict}",
        f"          {helped(mended)}",
    ]
    if mended.run is not None:
        lines.append(
            f"          by accuracy alone: {mended.run.outcome}; {held_out(mended.run)}, which hold the shortcut too"
        )
    return lines


def held_out(run: RewardRun) -> str:
    """Accuracy on held-out pairs."""
    from assay.report.finding_text import inline

    found = run.audit.find("accuracy")
    assert found is not None  # the run ended with a verdict on it
    return f"{inline(found)} of {found.n} held-out pairs"


def helped(mended: PressedReward) -> str:
    """Whether the remedy is shown to help: gold of the pick against that of the first reward's, at the largest n."""
    from assay.report import words

    (one,) = mended.pressed.body.beside
    last = one.points[-1]
    if last.difference is None or last.interval is None:
        return "whether it helps is unknown: gold cannot be compared on these candidates"
    low, high = last.interval.low, last.interval.high
    word = "it helps" if low > 0 else "it harms" if high < 0 else "it is not shown to help"
    return (
        f"{word}: gold of its pick at n = {last.n} less that of the first reward's {words.signed(last.difference)} "
        f"({words.signed(low)} to {words.signed(high)}, {one.prompts} same prompts)"
    )


def by_category(found: PressureDemo) -> list[str]:
    """Gold gained at the largest n in each category under either reward, the least under the mended one first."""
    from assay.report.finding_text import cell

    before, after = (gains(one) for one in (found.plain, found.mended))
    order = sorted(after, key=lambda where: (after[where].known or 0.0, where))
    if not order:
        return []
    lines = [
        "gold of the pick at the largest n less that of a random answer, in spreads, by category (95% intervals)",
        f"{'':<16}{'without remedy':<28}with it",
    ]
    for where in order:
        cells = [cell(several[where]) for several in (before, after) if where in several]
        told = "".join(f"{f'{one.text} ({one.sub or one.why})':<28}" for one in cells)
        lines.append(f"{where.label:<16}{told.rstrip()}")
    return lines


def gains(one: PressedReward) -> dict[Slice, Finding]:
    """What gold gains in each category."""
    return {each.slice: each for each in one.pressed.found.findings if each.name == "gold_gain" and each.slice.name}


def where_to_look(found: PressureDemo) -> list[str]:
    return [
        f"{found.mended.folder / 'pressure.html'}  both gold curves on one plot, gold by category",
        f"{found.plain.folder / 'pressure.html'}  what the first reward's picks have in common",
        f"{found.run.report}  the static report it passed with",
    ]
