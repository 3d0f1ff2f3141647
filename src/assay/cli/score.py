"""`assay score`: rewards of pairs or candidates by any scorer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, ScorerArgument, Sharing, TemplateOption, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import ways_out
from assay.errors import InputError


def register(app: typer.Typer) -> None:
    app.command("score", epilog="Example: assay score runs/support/seed-0/model pairs.jsonl --out scores.jsonl")(score)


@with_data_options
def score(
    scorer: ScorerArgument,
    data: Annotated[
        str,
        typer.Argument(
            help='Pairs in any layout, JSON lines of {"prompt", "answers": [...]}, or what assay generate wrote.'
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, one a pair or prompt.")],
    micro_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens in one forward pass (CPU: 2,048, GPU: 16,384).")
    ] = None,
    sharing: Sharing = None,
    template: TemplateOption = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Score pairs, or any number of candidates a prompt, with a reward model or any other scorer.

    What the scorer cannot take whole gets null and the reason, not the reward of a cut text. Options are those of
    `assay reward` under data, such as --set data.ties=keep; its file may be given whole; and those of a server under
    remote, such as --set remote.concurrency=64. Exit code 2: bad input, or rewards that are not finite.
    """
    from rich.markup import escape

    from assay.flows.project_config import ProjectConfig
    from assay.flows.score import ScoreConfig, score_file
    from assay.scorers.local import Passes
    from assay.scorers.open import of_a_server, open_scorer
    from assay.scorers.remote.config import RemoteConfig

    settings = options.settings(ScoreConfig, family=ProjectConfig)
    passes = Passes(micro_tokens=micro_tokens, sharing=sharing or "on")
    remote = settings.remote if of_a_server(scorer) or options.sets_any("remote") else RemoteConfig()
    opened = open_scorer(scorer, passes=passes, template=template, remote=remote)
    done = score_file(opened, data, out, config=settings, notify=progress)
    body = {
        "out": str(out), done.unit: done.rows, "unscored": done.unscored, "not_finite": done.not_finite,
        "rejected_rows": done.rejects,
        "model": opened.name, "fingerprint": done.fingerprint,
    }  # fmt: skip
    text = f"{done.rows:,} {done.unit} scored into {out}"
    text += f"; {done.unscored:,} of them without a reward: null with the reason" if done.unscored else ""
    text += f". The first: {escape(done.first_reason)}" if done.first_reason else ""
    text += f"; {done.rejects:,} rows did not become pairs (assay check says why)" if done.rejects else ""
    if done.noticed:
        body["findings"] = [finding.to_dict() for finding in done.noticed]
    text += "".join(f"\n[yellow]{escape(line)}[/]" for line in ways_out(done.noticed))
    output(body, text, as_json=as_json)
    if done.not_finite:
        raise InputError(
            f"{opened.name} gave {done.not_finite:,} of {done.rows:,} {done.unit} a reward that is not finite. They "
            f"stand in {out} with the reason beside each. Such a model failed in training, or was damaged since."
        )


def progress(rows: int) -> None:
    """Says on a terminal how far it is."""
    if sys.stderr.isatty():
        notes().print(f"{rows:,} scored")
