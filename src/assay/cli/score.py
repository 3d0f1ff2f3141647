"""`assay score`: rewards of pairs or candidates by any scorer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.engine_options import LOCAL, EngineOptions, refuse_parts
from assay.cli.options import Json, ScorerArgument, Sharing, TemplateOption, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import ways_out
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.flows.score import ScoreFile
    from assay.flows.spread_score import SpreadScores


ScoresOut = Annotated[
    str,
    typer.Option(
        "--out", help="File to write, a row a pair or prompt: JSON lines, or .parquet. FOLDER/ or an address: parts."
    ),
]
BlockSize = Annotated[
    int | None,
    typer.Option(
        "--block",
        min=1,
        help="Prompts put to the scorer at once, by one worker (1,024): the same number, the same bits.",
        show_default=False,
    ),
]


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
    out: ScoresOut,
    micro_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens in one forward pass (CPU: 2,048, GPU: 16,384).")
    ] = None,
    sharing: Sharing = None,
    template: TemplateOption = None,
    block: BlockSize = None,
    engine: EngineOptions = LOCAL,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Score pairs, or any number of candidates a prompt, with a reward model or any other scorer.

    What the scorer cannot take whole gets null and the reason, not the reward of a cut text. Options are those of
    `assay reward` under data, such as --set data.ties=keep; its file may be given whole; and those of a server under
    remote, such as --set remote.concurrency=64.

    With --engine ray, whole prompts are scored by several workers, with the bits of a single process that has as many
    threads as each of them; what is done is kept beside the file until all is. A block that ends every worker that
    takes it is set aside: null with the reason. A folder (scores/) or an address (s3://bucket/scores, gs://...) as
    --out gets a file a block, so data of any size pass through; data then may be such a folder or address too, of
    candidates as JSON lines or Parquet. Exit code 2: bad input, rewards that are not finite, or blocks set aside.
    """
    from assay.bulk.held_work import ScorerOpening
    from assay.flows.project_config import ProjectConfig
    from assay.flows.score import ScoreConfig, score_file
    from assay.flows.spread_score import spread_score
    from assay.scorers.local import Passes
    from assay.scorers.open import of_a_server, open_scorer
    from assay.scorers.protocol import CHUNK
    from assay.scorers.remote.config import RemoteConfig

    settings = options.settings(ScoreConfig, family=ProjectConfig)
    passes, crewing = Passes(micro_tokens=micro_tokens, sharing=sharing or "on"), engine.crewing()
    remote = settings.remote if of_a_server(scorer) or options.sets_any("remote") else RemoteConfig()
    # Looked at here in any case, which loads nothing: what is wrong with the name starts no worker.
    opened = open_scorer(scorer, passes=passes, template=template, remote=remote)
    opening, size = ScorerOpening(scorer=scorer, passes=passes, template=template), block or CHUNK
    spread: SpreadScores | None = None
    if crewing is not None:
        spread = spread_score(opening, data, out, crewing=crewing, config=settings, block=size, notify=progress)
    else:
        refuse_parts(out)
    done = (
        spread.done
        if spread is not None
        else score_file(opened, data, Path(out), config=settings, block=size, notify=progress)
    )
    told(done, spread, opened.name, out, as_json=as_json)


def told(done: ScoreFile, spread: SpreadScores | None, model: str, out: str, *, as_json: bool) -> None:
    """Print what was written. Raises InputError for rewards that are not finite, ModelError for blocks set aside."""
    from rich.markup import escape

    from assay.bulk.spread_scorer import refuse_aside

    body: dict[str, object] = {
        "out": out, done.unit: done.rows, "unscored": done.unscored, "not_finite": done.not_finite,
        "rejected_rows": done.rejects, "model": model, "fingerprint": done.fingerprint,
    }  # fmt: skip
    text = f"{done.rows:,} {done.unit} scored into {out}"
    text += f"; {done.unscored:,} of them without a reward: null with the reason" if done.unscored else ""
    text += f". The first: {escape(done.first_reason)}" if done.first_reason else ""
    text += f"; {done.rejects:,} rows did not become pairs (assay check says why)" if done.rejects else ""
    if spread is not None:
        aside = sum(one.groups for one in spread.aside)
        body |= {"workers": spread.workers, "threads": spread.threads, "set_aside": aside}
    if done.noticed:
        body["findings"] = [finding.to_dict() for finding in done.noticed]
    text += "".join(f"\n[yellow]{escape(line)}[/]" for line in ways_out(done.noticed))
    output(body, text, as_json=as_json)
    if done.not_finite:
        raise InputError(
            f"{model} gave {done.not_finite:,} of {done.rows:,} {done.unit} a reward that is not finite. They stand in "
            f"{out} with the reason beside each. Such a model failed in training, or was damaged since."
        )
    refuse_aside(() if spread is None else spread.aside)


def progress(rows: int) -> None:
    """Says on a terminal how far it is."""
    if sys.stderr.isatty():
        notes().print(f"{rows:,} scored")
