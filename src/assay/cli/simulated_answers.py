"""`assay simulate candidates`, `objectives` and `press`: answers of the simulated desk whose truth is known."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, ScorerArgument, command_line, notes, output

PromptsOption = Annotated[
    Path | None,
    typer.Option(
        "--prompts", metavar="FILE", help="JSON lines of this world's prompts; else fresh ones.", show_default=False
    ),
]
FreshOption = Annotated[
    int | None,
    typer.Option("--fresh", min=1, help="So many fresh prompts, which no pair has (100).", show_default=False),
]


def register(group: typer.Typer) -> None:
    """Add `candidates`, `objectives` and `press` to `assay simulate`."""
    group.command("candidates")(candidates)
    group.command("objectives")(objectives)
    group.command("press")(press)


def candidates(
    policy: Annotated[
        str,
        typer.Argument(
            help="Agents and habits: plain, wordy, courteous, inventive, hedging; a mixture such as wordy=2,plain=1; "
            "habits such as plain,wordiness=0.4."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON lines; the truth goes to FILE.truth.json.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Answers to each prompt.")] = 64,
    prompts: PromptsOption = None,
    fresh: FreshOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed writes the same files.")] = 0,
    as_json: Json = False,
) -> None:
    """Write candidates of the simulated support desk, any number a prompt, with the true utility of each.

    The file is one of answers, as assay generate writes them. Answer 3 of a prompt is the same for --n 4 and --n 256.

    Example: assay simulate candidates wordy=1,plain=1 --n 256 --fresh 100 --out candidates.jsonl
    """
    from assay.flows.simulated_candidates import simulate_candidates
    from assay.simulate.support.answer_policy import agent_mix

    done = simulate_candidates(out, mix=agent_mix(policy), n=n, prompts=prompts, count=fresh, seed=seed)
    lines = [f"{done.answers:,} answers to {done.prompts:,} prompts in {out}, the truth in {done.truth}"]
    if done.prompts_file is not None:
        lines.append(f"fresh prompts in {done.prompts_file}")
    if done.mean is not None and done.best is not None:
        lines.append(f"true utility: {done.mean:+.2f} in the mean, {done.best:+.2f} for the best of {n}")
    lines += _apart(done.unsure, done.unread)
    result = {
        "out": str(out), "truth": str(done.truth), "prompts_file": str(done.prompts_file or "") or None,
        "prompts": done.prompts, "answers": done.answers, "prompts_unsure": done.unsure, "prompts_unread": done.unread,
        "mean_utility": done.mean, "best_utility": done.best,
    }  # fmt: skip
    output(result, "\n".join(lines), as_json=as_json)


def objectives(
    candidates: Annotated[
        Path, typer.Argument(metavar="CANDIDATES", help="What assay simulate candidates wrote, or any of this world.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON lines: pairs with an objective each.")],
    least_apart: Annotated[
        float, typer.Option("--least-apart", min=0, help="Utility along an axis; what is nearer is a tie.")
    ] = 0.6,
    as_json: Json = False,
) -> None:
    """Write pairs of candidates by each objective (helpful, harmless, honest), labelled by what they are truly worth.

    The first two different answers of each prompt are one pair by each objective; ties are written as ties. Labelled by
    truth, and so nothing that people said: for holding rewards against, by objective.

    Example: assay simulate objectives candidates.jsonl --out truth-by-objective.jsonl
    """
    from assay.flows.simulated_objectives import simulate_objectives

    done = simulate_objectives(candidates, out, least_apart=least_apart)
    lines = [f"{done.prompts:,} comparisons by {len(done.pairs)} objectives in {out}, labelled by their true worth"]
    lines += [f"  {name}: {count:,} pairs, {done.ties[name]:,} ties" for name, count in done.pairs.items()]
    lines += _apart(0, done.unread)
    result = {
        "out": str(out), "comparisons": done.prompts, "pairs": dict(done.pairs), "ties": dict(done.ties),
        "prompts_unread": dict(done.unread),
    }  # fmt: skip
    output(result, "\n".join(lines), as_json=as_json)


def press(
    scorer: ScorerArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="JSON lines, one an answer; rounds go to FILE.press.json, truth beside."
        ),
    ],
    start: Annotated[str, typer.Option("--start", help="Agents who answer first: see simulate candidates.")] = "plain",
    population: Annotated[int, typer.Option(min=2, help="Answers kept a prompt, and scored a round.")] = 16,
    rounds: Annotated[int, typer.Option(min=0, help="Rounds of changed answers after the first.")] = 8,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Answers scored a prompt at most.", show_default=False)
    ] = None,
    words: Annotated[int, typer.Option(min=1, help="Longest answer that is tried.")] = 200,
    gold: Annotated[str, typer.Option("--gold", help="What the reward stands for; any scorer.")] = "truth:support",
    prompts: PromptsOption = None,
    fresh: FreshOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides the whole search.")] = 0,
    as_json: Json = False,
) -> None:
    """Search for the highest reward on the simulated desk, and show what the answers found are truly worth.

    Best of many, changed over rounds by the desk's own parts and by probes (filler, flattery, repetition, ...). Killed,
    the same command goes on: rewards are kept in NAME.rewards.jsonl, and more rounds ask only for what is new.

    Example: assay simulate press baseline:longest --rounds 8 --fresh 50 --out pressed.jsonl
    """
    from assay.flows.pressed_candidates import press_on
    from assay.flows.simulated_candidates import desk_prompts
    from assay.scorers.open import open_scorer
    from assay.simulate.support.pressing import PressPlan

    plan = PressPlan(start=start, population=population, rounds=rounds, budget=budget, words=words, seed=seed)
    desk = desk_prompts(prompts, count=fresh, seed=seed)
    done = press_on(
        open_scorer(scorer), out, plan=plan, gold=open_scorer(gold), desk=desk, command=command_line(), notify=_round
    )
    body = done.body
    lines = [f"{body.answers:,} answers to {body.prompts:,} prompts in {out}, rounds in {done.artifact}",
             "round   reward of the best   its gold"]  # fmt: skip
    lines += [f"{one.round:5}   {_figure(one.best_reward):>18}   {_figure(one.best_gold):>8}" for one in body.rounds]
    if body.same:
        lines.append("[yellow]gold and reward are one scorer: their agreement proves nothing[/]")
    if body.unscored:
        lines.append(f"{body.unscored:,} answers have no reward: null with the reason, and never a parent")
    lines += _apart(desk.unsure, desk.unread)
    output(body.model_dump(mode="json"), "\n".join(lines), as_json=as_json)


def _round(number: int, rounds: int) -> None:
    """Says on a terminal how far it is."""
    if sys.stderr.isatty():
        notes().print(f"round {number} of {rounds} scored")


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _apart(unsure: int, unread: Mapping[str, str]) -> list[str]:
    """What is to be known of the prompts."""
    lines = []
    if unsure:
        lines.append(f"{unsure:,} prompts may be of two categories and state none: their words are not counted")
    if unread:
        name, why = next(iter(unread.items()))
        lines.append(f"{len(unread):,} prompts have no truth; the first, {name}: {why}")
    return lines
