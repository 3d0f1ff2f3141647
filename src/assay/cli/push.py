"""`assay push`: a run's model, card, report and evidence to the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, output

if TYPE_CHECKING:
    from assay.flows.push import PushPlan


def register(app: typer.Typer) -> None:
    app.command("push", epilog="Example: assay push runs/support --repo my-org/support-reward --dry-run")(push)


def push(
    run: Annotated[Path, typer.Argument(help="A run folder, of assay reward or assay dpo.")],
    repo: Annotated[str, typer.Option("--repo", metavar="ORG/NAME", help="The repository, made where there is none.")],
    seed: Annotated[
        int | None, typer.Option("--seed", help="Whose model goes, of a run with several.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go, and send nothing.")] = False,
    whatever: Annotated[
        bool,
        typer.Option("--whatever-the-verdict", help="Also what did not pass; the card's first line then says so."),
    ] = False,
    with_texts: Annotated[
        bool,
        typer.Option(
            "--with-texts", help="Also what quotes rows of the data, paths and all: report, audit.json, scores."
        ),
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository public; by default it is private.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Share a run on the Hugging Face hub: the model, its card, its report and the evidence, as one commit.

    Only a run whose gate passed, whose model is still the one that was audited, goes without --whatever-the-verdict;
    the verdict is the first line of the card either way. No row of the data goes unless asked for: the report leaves
    out the texts it quotes. The token is the hub's own: HF_TOKEN, or hf auth login. Exit code 2: not passed, or not
    taken by the hub.
    """
    from assay.flows.push import push as send
    from assay.flows.push import push_plan

    plan = push_plan(run, repo, seed=seed, whatever=whatever, with_texts=with_texts)
    address = None if dry_run else send(plan, private=not public)
    value = {
        "repo": repo, "seed": plan.seed, "gate": plan.gate.word, "gate_says": plan.gate.sentence, "commit": address,
        "files": [{"path": one.path, "bytes": one.size} for one in plan.files], "bytes": plan.size,
    }  # fmt: skip
    output(value, summary(plan, address), as_json=as_json)


def summary(plan: PushPlan, address: str | None) -> str:
    """Every file with its size, the card's first line, and where it went, in rich markup."""
    from rich.markup import escape

    lines = [f"{size(one.size):>10}  {escape(one.path)}" for one in plan.files]
    lines.append(f"{size(plan.size):>10}  in {len(plan.files):,} files, of seed {plan.seed}")
    lines.append(f"[{'green' if plan.gate.passed else 'yellow'}]{escape(plan.first)}[/]")
    lines.append(
        f"would go to {escape(plan.repo)}; nothing was sent" if address is None else f"[bold]{escape(address)}[/]"
    )
    return "\n".join(lines)


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a number of at least 1.

    >>> size(12), size(2_500), size(90_000_000)
    ('12 B', '2.5 kB', '90.0 MB')
    """
    for unit, many in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= many:
            return f"{count / many:.1f} {unit}"
    return f"{count} B"
