"""`assay score`: rewards of pairs or candidates by a saved reward model."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from assay.cli.options import ConfigFile, Json, Sets, notes, output
from assay.cli.reading import ColumnNames, LabelNames, LayoutName, as_settings, reading
from assay.config import load_config
from assay.train.reward_config import RewardConfig


def register(app: typer.Typer) -> None:
    app.command("score", epilog="Example: assay score runs/support/seed-0/model pairs.jsonl --out scores.jsonl")(score)


def score(
    model: Annotated[str, typer.Argument(help="A model folder assay wrote, or a reward model by folder or hub id.")],
    data: Annotated[str, typer.Argument(help='Pairs in any layout, or JSON lines of {"prompt", "answers": [...]}.')],
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, one a pair or prompt.")],
    micro_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens in one forward pass (CPU: 2,048, GPU: 16,384).")
    ] = None,
    no_sharing: Annotated[bool, typer.Option("--no-sharing", help="Run every row in full; changes time only.")] = False,
    layout: LayoutName = None,
    columns: ColumnNames = None,
    labels: LabelNames = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Score pairs, or any number of candidates a prompt, with a reward model.

    What the model cannot read whole gets null and the reason, not the reward of a cut text. Exit code 2: bad input.
    """
    from assay.artifacts.files import write_jsonl
    from assay.data import read_pairs
    from assay.data.candidate_files import holds_candidates, read_candidates
    from assay.errors import EmptyBatchError
    from assay.scorers.files import score_candidates, score_rows
    from assay.scorers.local import LocalScorer

    settings = load_config(RewardConfig, file=config, sets=as_settings(reading(layout, columns, labels), sets))
    scorer = LocalScorer(model, micro_tokens=micro_tokens, sharing="off" if no_sharing else "on")
    fingerprint = scorer.fingerprint  # a model that is not there or not to be run costs no reading of data
    rejects = 0
    rows: Iterable[dict[str, Any]]
    if holds_candidates(Path(data)):
        unit, rows = "prompts", score_candidates(scorer, read_candidates(Path(data)))
    else:
        found = read_pairs(data, config=settings.data)
        if not found.pairs:
            raise EmptyBatchError(f"{data}: no pair to score among {found.rows} rows. Look at them with `assay check`.")
        unit, rows, rejects = "pairs", score_rows(scorer, found.pairs), len(found.rejects)
    tally = Tally()
    count = write_jsonl(out, counted(rows, tally))
    body = {
        "out": str(out), unit: count, "unscored": tally.unscored, "rejected_rows": rejects, "model": scorer.name,
        "fingerprint": fingerprint,
    }  # fmt: skip
    text = f"{count:,} {unit} scored into {out}"
    text += f"; {tally.unscored:,} of them not whole: null with a reason" if tally.unscored else ""
    text += f"; {rejects:,} rows did not become pairs (assay check says why)" if rejects else ""
    output(body, text, as_json=as_json)


class Tally:
    """How many rows passed by, and how many of them hold an answer without a reward."""

    def __init__(self) -> None:
        self.rows = self.unscored = 0


def counted(rows: Iterable[dict[str, Any]], tally: Tally) -> Iterator[dict[str, Any]]:
    """The rows, counted; says on a terminal how far it is."""
    for row in rows:
        tally.rows += 1
        tally.unscored += "reason" in row or "reasons" in row
        if tally.rows % 1000 == 0 and sys.stderr.isatty():
            notes().print(f"{tally.rows:,} scored")
        yield row
