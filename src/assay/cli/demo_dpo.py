"""`assay demo-dpo`: the whole flow of a tuned policy, small, with simulated editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.conclude import say, show
from assay.cli.options import Json, command_line


def register(app: typer.Typer) -> None:
    app.command("demo-dpo", epilog="Example: assay demo-dpo --out runs/demo-dpo")(demo_dpo)


def demo_dpo(
    out: Annotated[Path, typer.Option("--out", help="Run folder.")] = Path("runs/demo-dpo"),
    pairs: Annotated[int, typer.Option(min=40, help="Pairs to simulate; a quarter is held out.")] = 72,
    fresh: Annotated[int, typer.Option(min=4, help="Fresh prompts that base and tuned policy answer.")] = 12,
    questions: Annotated[int, typer.Option(min=10, help="Questions of the capability test.")] = 80,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    as_json: Json = False,
) -> None:
    """A small model tuned on simulated grants, judged blind by simulated editors over a real server, to the verdict.

    Offline; minutes on two cores. Exit code 0 when the flow is done, whatever the verdict: at this size it will hardly
    be a pass.
    """
    from assay.flows.dpo_demo import DemoSize, run_dpo_demo

    size = DemoSize(pairs=pairs, fresh=fresh, questions=questions)
    found = run_dpo_demo(out, size=size, seed=seed, command=command_line(), notify=say)
    show(found, as_json=as_json)
