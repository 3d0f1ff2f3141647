"""`assay fresh`: a reward on pairs of the current policy's answers, judged by people, beside its held-out accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from assay.cli.fresh_options import NOTHING_ASKED, NOTHING_JOINED, AskOptions, JoinOptions
from assay.cli.options import Json, TemplateOption, command_line, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.errors import ConfigError

if TYPE_CHECKING:
    from assay.artifacts.fresh_body import FreshBody, FreshPairsBody
    from assay.findings.finding import Finding

EXIT = {"holds": 0, "drops": 1, "undecided": 3}
COLOUR = {"holds": "green", "drops": "red", "undecided": "yellow"}


def register(app: typer.Typer) -> None:
    app.command(
        "fresh",
        epilog="Example: assay fresh runs/a --policy runs/ppo/policy --prompts new.jsonl --out fresh/a; people vote; "
        "assay fresh runs/a --out fresh/a --conclude fresh/a/study/study.db",
    )(fresh)


@with_data_options
def fresh(
    reward: Annotated[
        str, typer.Argument(metavar="RUN", help="A run folder of assay reward, or any scorer, as assay score takes it.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets pairs, study, fresh.json and its page.")],
    ask: AskOptions = NOTHING_ASKED,
    join: JoinOptions = NOTHING_JOINED,
    criteria: Annotated[
        Path | None,
        typer.Option(help="Decide by criteria such as 'fresh accuracy > 0.8'; writes gate.json.", show_default=False),
    ] = None,
    template: TemplateOption = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Ask people whether a reward is still right on what the current policy writes.

    First the policy answers prompts that are not in the reward's data; two answers of each make a pair, and a random
    sample of them is written as a blind study and as a file. Then --conclude the closed study (or --labelled FILE):
    accuracy on fresh pairs beside the held-out one, and the drop, each with its interval; a --judge may help people's
    votes. Stopped anywhere, the same command goes on.

    Exit code 0: pairs were written, or the reward holds; 1: it drops; 3: undecided; 2: bad input. With --criteria the
    gate's: 0 pass, 1 fail, 3 undecided.
    """
    if join.joins:
        if ask.given() or template is not None:
            named = [*ask.given(), *(["--template"] if template is not None else [])]
            raise ConfigError(f"{', '.join(named)}: the pairs are chosen already. Leave out what asks for new ones.")
        concluded(reward, out, join, criteria=criteria, options=options, as_json=as_json)
    if join.given() or criteria is not None:
        named = [*join.given(), *(["--criteria"] if criteria is not None else [])]
        raise ConfigError(f"{', '.join(named)}: read with --conclude STUDY or --labelled FILE, when people have voted.")
    asked(reward, out, ask, template=template, options=options, as_json=as_json)


def asked(
    reward: str, out: Path, ask: AskOptions, *, template: str | None, options: DataOptions, as_json: bool
) -> None:
    """Form pairs, choose some for people, and say what their votes will buy."""
    from assay.cli.generate import Running
    from assay.flows.fresh import FreshAsking, FreshRunConfig, fresh_pairs
    from assay.flows.generate import prompts_in
    from assay.flows.project_config import ProjectConfig
    from assay.policies.protocol import Sampling
    from assay.scorers.open import of_a_server
    from assay.scorers.remote.config import RemoteConfig

    if ask.policy is None or ask.prompts is None:
        raise ConfigError("Give --policy POLICY and --prompts FILE; or --conclude STUDY when people have voted.")
    settings = options.settings(
        FreshRunConfig, {"fresh.votes": ask.votes, "fresh.unsure": ask.unsure}, family=ProjectConfig
    )
    if not of_a_server(reward) and not options.sets_any("remote"):  # in a file it may stand idle
        settings = settings.model_copy(update={"remote": RemoteConfig()})
    told = {
        "max_tokens": ask.max_tokens, "temperature": ask.temperature, "top_p": ask.top_p, "seed": ask.seed,
    }  # fmt: skip
    asking = FreshAsking(
        n=4 if ask.n is None else ask.n,
        sampling=Sampling(**{name: value for name, value in told.items() if value is not None}),  # type: ignore[arg-type]
        editors=3 if ask.editors is None else ask.editors,
        simulated=tuple(ask.simulated or ()),
        attention=ask.attention,
        url=ask.url or FreshAsking().url,
        data=ask.data,
        static=ask.static,
        command=command_line(),
    )
    run = Running(
        device=ask.device or "auto",
        at_once=ask.at_once,
        cache_tokens=None,
        precision=ask.precision or "float32",
        template=template,
    )
    policy = run.opened(ask.policy)
    body = fresh_pairs(reward, policy, prompts_in(ask.prompts), out, asking=asking, config=settings, notify=said)
    value = {"schema": body.SCHEMA, **body.model_dump(mode="json"), "folder": str(out)}
    output(value, pairs_summary(body, reward, out), as_json=as_json)


def concluded(
    reward: str, out: Path, join: JoinOptions, *, criteria: Path | None, options: DataOptions, as_json: bool
) -> NoReturn:
    """Join what people said, decide, print and exit."""
    from assay.flows.fresh import FreshRunConfig
    from assay.flows.fresh_conclusion import FreshConclusion, conclude_fresh, decide_fresh
    from assay.flows.project_config import ProjectConfig

    settings = options.settings(FreshRunConfig, family=ProjectConfig)
    told = FreshConclusion(
        reward=reward,
        study=join.conclude,
        labels=join.labelled,
        judge=join.judge,
        drift=join.drift,
        kpis=join.table(),
        command=command_line(),
    )
    body = conclude_fresh(out, told, config=settings, notify=said)
    value = {"schema": body.SCHEMA, **body.model_dump(mode="json"), "folder": str(out)}
    if criteria is None:
        output(value, summary(body, out), as_json=as_json)
        raise typer.Exit(EXIT[body.outcome])
    from assay.cli.verdicts import EXIT as GATE_EXIT
    from assay.cli.verdicts import verdict_lines

    verdict = decide_fresh(out, criteria)
    lines = [summary(body, out), *verdict_lines(verdict, str(out))]
    output({**value, "gate": verdict.to_dict()}, "\n".join(lines), as_json=as_json)
    raise typer.Exit(GATE_EXIT[verdict.verdict])


def said(line: str) -> None:
    notes().print(line, markup=False)


def pairs_summary(body: FreshPairsBody, reward: str, out: Path) -> str:
    """What people are asked, what their votes will buy, what was set aside, and what to do next."""
    from rich.markup import escape

    lines = [
        f"[bold]{body.votes:,} of {body.formed:,} fresh pairs for the estimate, {body.unsure:,} where the reward is "
        f"unsure[/]  {escape(str(out))}"
    ]
    if body.leaks.looked is None:
        lines.append(f"  [yellow]leakage unknown: {escape(body.leaks.reason)}[/]")
    if body.aside:
        told = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in sorted(body.aside.items()))
        lines.append(f"  [yellow]prompts set aside: {told} (set_aside.jsonl)[/]")
    if body.policy.unanswered:
        lines.append(f"  [yellow]{body.policy.unanswered:,} answers have no text[/]")
    lines.append(f"  [dim]what votes buy at an accuracy of {body.assumed:.1%}, without a judge[/]")
    for row in body.widths:
        drop = "" if row.drop is None else f", drop ±{100 * row.drop:.1f}"
        mark = "  these" if row.votes == body.votes else ""
        lines.append(f"  {row.votes:>6,} decided pairs: accuracy ±{100 * row.accuracy:.1f} points{drop}{mark}")
    if body.static.value is None:
        lines.append(f"  [yellow]no drop can be told: {escape(body.static.reason)}[/]")
    lines.append(f"  pairs for other tools: {escape(str(out / 'for_people.jsonl'))}")
    if body.study is None:
        lines.append(f"Next: assay fresh {escape(reward)} --out {escape(str(out))} --labelled JUDGED.jsonl")
        return "\n".join(lines)
    lines += [f"  [yellow]note[/] {escape(note)}" for note in body.study.notes]
    study = out / body.study.study
    lines.append(
        f"  study {body.study.id}: {len(body.study.editors)} judges, {body.study.showings:,} showings; links in "
        f"{escape(str(out / body.study.links))}"
    )
    lines.append(f"Next: assay study serve {escape(str(study))}; assay study close {escape(str(study))};")
    lines.append(f"      assay fresh {escape(reward)} --out {escape(str(out))} --conclude {escape(str(study))}")
    return "\n".join(lines)


def summary(body: FreshBody, out: Path) -> str:
    """The answer, the figures, and what stands beside them, in rich markup."""
    from rich.markup import escape

    from assay.audits.fresh.fresh_meanings import MEANINGS
    from assay.report.fresh.fresh_page import counted

    lines = [f"[bold {COLOUR[body.outcome]}]{escape(body.sentence)}[/]  {escape(str(out / 'fresh.html'))}"]
    lines += [f"  [yellow]{escape(note)}[/]" for note in body.notes]
    if body.static.value is not None:
        span = body.static.interval
        told = f" ({100 * span.low:.1f}% to {100 * span.high:.1f}%)" if span else ""
        lines.append(f"  {'Held-out accuracy':<38} {body.static.value:.1%}{told}, {body.static.n:,} pairs")
    found = counted(body)
    lines += [f"  {MEANINGS[name].label:<38} {escape(figure(found[name]))}" for name in MEANINGS if name in found]
    votes = body.votes
    lines.append(
        f"  {votes.labelled:,} of {votes.asked:,} pairs of the sample have a vote, {votes.decided:,} a majority"
    )
    if body.judge is not None:
        judge = body.judge
        if judge.left_out:
            lines.append(f"  [yellow]judge {escape(judge.name)} left out: {escape(judge.left_out)}[/]")
        elif judge.missing:
            lines.append(
                f"  [yellow]judge {escape(judge.name)} labelled {judge.labelled:,} of {body.formed:,} pairs[/]"
            )
    if body.drift is not None:
        ends = ", ".join(
            f"{name} {points[-1].kl:.2f} at step {points[-1].step}" for name, points in body.drift.lines.items()
        )
        lines.append(f"  KL from the reference, nats an answer: {escape(ends)}. It certifies nothing")
    if body.kpis is not None:
        from assay.audits.fresh.kpi_table import KpiFall, fall_sentence

        lines += [f"  [yellow]{escape(fall_sentence(KpiFall(**one.model_dump())))}[/]" for one in body.kpis.falls]
    return "\n".join(lines)


def figure(one: Finding) -> str:
    """Value and interval in the words of the unit."""
    from assay.report.finding_text import cell

    if one.known is None:
        return f"unknown: {one.reason}"
    found = cell(one)
    return f"{found.text}{f' ({found.sub})' if found.sub else ''}, n {one.n:,}"
