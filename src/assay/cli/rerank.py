"""`assay rerank`: the answers to each prompt, best first by any scorer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, ScorerArgument, Sharing, TemplateOption, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.score import progress
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.flows.rerank import Reranked
    from assay.gate.gate_standing import GateStanding


def register(app: typer.Typer) -> None:
    app.command("rerank", epilog="Example: assay rerank runs/support answers.jsonl --top 1 --out best.jsonl")(rerank)


@with_data_options
def rerank(
    scorer: ScorerArgument,
    candidates: Annotated[
        str,
        typer.Argument(
            help='Several answers a prompt: JSON lines of {"prompt", "answers": [...]}, what assay generate --n wrote, '
            "or labelled data with several answers a prompt."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, one a prompt.")],
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="K", help="Keep the K best of each prompt. Default: all.")
    ] = None,
    micro_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens in one forward pass (CPU: 2,048, GPU: 16,384).")
    ] = None,
    sharing: Sharing = None,
    template: TemplateOption = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Order the answers to each prompt by a reward, best first: best of n.

    Equal rewards share a rank; an answer without a reward stands behind all others, with the reason. What is written is
    a file of candidates again, and says each answer's place in the file it came from. Says whether a gate passed the
    reward. Options are those of `assay reward` under data, and those of a server under remote. Stopped anywhere, the
    same command goes on. Exit code 2: bad input, or rewards that are not finite.
    """
    from assay.flows.gated_scorer import standing_of
    from assay.flows.project_config import ProjectConfig
    from assay.flows.rerank import rerank as run
    from assay.flows.score import ScoreConfig
    from assay.scorers.local import Passes
    from assay.scorers.open import of_a_server, open_scorer
    from assay.scorers.remote.config import RemoteConfig

    settings = options.settings(ScoreConfig, family=ProjectConfig)
    passes = Passes(micro_tokens=micro_tokens, sharing=sharing or "on")
    remote = settings.remote if of_a_server(scorer) or options.sets_any("remote") else RemoteConfig()
    opened = open_scorer(scorer, passes=passes, template=template, remote=remote)
    done = run(opened, candidates, out, top=top, config=settings.data, notify=progress)
    gate = standing_of(scorer)
    value = {"out": str(out), **asdict(done), "model": opened.name, "gate": gate.word, "gate_says": gate.sentence}
    output(value, summary(done, out, gate, top=top), as_json=as_json)
    if done.not_finite:
        raise InputError(
            f"{opened.name} gave {done.not_finite:,} of {done.answers:,} answers a reward that is not finite. They "
            f"stand last in {out}, with the reason beside each. Such a model failed in training, or was damaged since."
        )


def summary(done: Reranked, out: Path, gate: GateStanding, *, top: int | None) -> str:
    """What was ordered, what could not be, and whose reward it is, in rich markup."""
    from rich.markup import escape

    kept = "" if top is None else f", the best {top:,} of each kept"
    lines = [f"{done.answers:,} answers to {done.prompts:,} prompts, best first, in {escape(str(out))}{kept}"]
    if done.tied:
        lines.append(f"  {done.tied:,} prompts have several best: equal rewards, in the order of the file")
    if done.unscored:
        lines.append(
            f"  [yellow]{done.unscored:,} answers without a reward, last with the reason. The first: "
            f"{escape(done.first_reason or '')}[/]"
        )
    if done.missing:
        lines.append(f"  [yellow]{done.missing:,} answers that the policy did not give, by number under missing[/]")
    if done.alone:
        lines.append(f"  [yellow]{done.alone:,} prompts with fewer than two rewards: nothing was picked there[/]")
    lines.append(f"  [{'green' if gate.passed else 'yellow'}]{escape(gate.sentence)}[/]")
    return "\n".join(lines)
