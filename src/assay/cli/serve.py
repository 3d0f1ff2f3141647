"""`assay serve`: rewards over HTTP, behind a gate that passed. Parses, calls one function, prints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import ConfigFile, ScorerArgument, Sets, Sharing, TemplateOption, notes
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.flows.serve import Serving

Names = Annotated[
    list[str] | None, typer.Option(help="What clients may call the model; may be repeated, the first is its name.")
]
GateFolder = Annotated[
    Path | None, typer.Option(help="Folder of the audit and gate that passed it, where it is no run's own model.")
]
Ungated = Annotated[bool, typer.Option("--ungated", help="Serve what no gate passed; every answer and the log say so.")]
Open = Annotated[
    bool, typer.Option("--open", help="Not on loopback and without a token: whoever reaches the port may ask.")
]
Snapshot = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write served scores there, as JSON lines; texts are left out.")
]
SnapshotTexts = Annotated[bool, typer.Option("--snapshot-texts", help="Prompts and answers stand in the snapshot too.")]
MicroTokens = Annotated[int | None, typer.Option(min=1, help="Tokens in one forward pass (CPU: 2,048, GPU: 16,384).")]


def register(app: typer.Typer) -> None:
    app.command("serve", epilog="Example: assay serve runs/support --port 8322")(serve)


def serve(
    scorer: ScorerArgument,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; others reach it only if it is not loopback.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8322,
    name: Names = None,
    gate: GateFolder = None,
    ungated: Ungated = False,
    open_: Open = False,
    snapshot: Snapshot = None,
    snapshot_texts: SnapshotTexts = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...; auto takes a GPU where there is one.")] = "auto",
    micro_tokens: MicroTokens = None,
    sharing: Sharing = None,
    template: TemplateOption = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Serve raw rewards, equal to those of assay score, to trainers and rerankers, until interrupted.

    Speaks OpenRLHF's /get_reward, vLLM's and sglang's /classify, /v1/embeddings, TEI's /predict and /rerank, rerankers'
    /v1/rerank, and /v1/score for groups. Requests of all clients are run together, shared prompts once.

    A run whose gate did not pass is refused. Tokens stand in the environment: ASSAY_SERVE_TOKEN for clients,
    ASSAY_SERVE_OWNER_TOKEN for who may change the model (POST /v1/swap; SIGHUP reads it anew). Limits of requests and
    batches are under serve, such as --set serve.queue_rows=512; those of a server that is asked in turn under remote.

    What is served is watched (GET /v1/watch): rewards against those of the run's held-out answers, answers outside what
    the reward knows, drift. Limits are under serve.watch, such as --set serve.watch.above=0.5; a line in the log and a
    metric say when one is crossed. A --snapshot can be audited like any file of scores: assay audit FILE DATA.
    """
    _insist_on_the_extra()
    from assay.config import load_config
    from assay.flows.project_config import ProjectConfig
    from assay.flows.serve import Door, ServeOptions, leave_what_never_ends
    from assay.flows.serve import serve as serve_reward
    from assay.scorers.local import Passes
    from assay.scorers.open import of_a_server
    from assay.serve.served_reward import Opening
    from assay.serve.watch.snapshot_file import SnapshotPlan

    settings = load_config(ServeOptions, file=config, sets=sets or (), family=ProjectConfig)
    if not of_a_server(scorer) and any(one.strip().startswith("remote.") for one in sets or ()):
        raise InputError(f"{scorer} is asked over no network, so remote would change nothing. Leave it out.")
    if snapshot is None and snapshot_texts:
        raise InputError("--snapshot-texts says what stands in a snapshot: name its file with --snapshot.")
    plan = None if snapshot is None else SnapshotPlan(path=snapshot, texts=snapshot_texts)
    passes = Passes(device=device, micro_tokens=micro_tokens, sharing=sharing or "on")
    opening = Opening(
        passes=passes, template=template, remote=settings.remote, gate=gate, ungated=ungated, names=tuple(name or ())
    )
    door = Door(host=host, port=port, open=open_)
    serve_reward(scorer, door=door, opening=opening, config=settings.serve, snapshot=plan, ready=say)
    leave_what_never_ends()


def _insist_on_the_extra() -> None:
    """Raises InputError where the extra is not installed."""
    try:
        import starlette
        import uvicorn
    except ModuleNotFoundError:
        raise InputError("A server needs the extra: pip install 'assay[serve]'.") from None
    _ = starlette, uvicorn


def say(serving: Serving) -> None:
    """What is served, where, to whom, and how to end it."""
    from rich.markup import escape

    identity = serving.identity
    lines = [f"{escape(identity.name)} ({identity.fingerprint}): serving {serving.url}, process {os.getpid()}."]
    if serving.gate == "ungated":
        lines.append("[yellow]No gate was asked (--ungated): every answer says so.[/]")
    else:
        lines.append(f"Gate: {serving.gate}.")
    if not serving.token:
        lines.append("No token is asked for (ASSAY_SERVE_TOKEN).")
    lines += [f"[dim]Not watched: {escape(why)}.[/]" for why in serving.unwatched]
    if serving.snapshot is not None:
        texts = "with prompts and answers" if serving.snapshot.texts else "without texts"
        lines.append(f"Served scores are written to {escape(str(serving.snapshot.path))}, {texts}.")
    lines.append("Stop with Ctrl-C: what is under way is answered first.")
    notes().print("\n".join(lines))
