"""`assay audit`: audit any scorer on labelled pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.options import ConfigFile, Json, Sets, output
from assay.cli.reading import ColumnNames, LabelNames, LayoutName, as_settings, reading
from assay.config import RewardConfig, load_config

if TYPE_CHECKING:
    from assay.audits import Audit
    from assay.records import Pair, PairScore

SHOWN = (
    "accuracy",
    "length_baseline",
    "accuracy_beyond_length",
    "length_matched_accuracy",
    "accuracy_without_length",
    "reward_length_correlation",
    "degenerate",
    "tied_pairs",
    "calibration_error",
    "seed_spread",
    "category_gap",
)


LEFT_OUT = "left_out.jsonl"


def register(app: typer.Typer) -> None:
    app.command("audit", epilog="Example: assay audit runs/a/seed-0/model pairs.jsonl --out audits/a")(audit)


def audit(
    scorer: Annotated[
        Path,
        typer.Argument(help="Model folder, run folder (every seed), or a scores.jsonl by pair_id, chosen, rejected."),
    ],
    data: Annotated[str, typer.Argument(help="Labelled pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets audit.json.")],
    layout: LayoutName = None,
    columns: ColumnNames = None,
    labels: LabelNames = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Audit any scorer on labelled pairs: accuracy, what length explains, distribution, calibration, worst mistakes.

    Rows that are no definite pairs are left out by the pair contract and counted; pairs that the model cannot read
    whole are left out, counted and named in left_out.jsonl. Pairs should be ones the scorer was not trained on; nothing
    here can check that for a foreign scorer. Options are those of `assay reward`, such as --set audit.level=0.9.
    """
    from assay.artifacts import RunFolder, write_jsonl
    from assay.audits import audit as run_audit
    from assay.data import prompt_groups, read_pairs
    from assay.errors import EmptyBatchError

    settings = load_config(RewardConfig, file=config, sets=as_settings(reading(layout, columns, labels), sets))
    kept = read_pairs(data, config=settings.data)
    if not kept.pairs:
        raise EmptyBatchError(f"{data}: no pair to audit among {kept.rows} rows. Look at them with `assay check`.")
    scored = scored_by(scorer, kept.pairs)
    if not scored.pairs:
        why = next(iter(scored.left_out.values()))
        raise EmptyBatchError(f"{scorer} can read none of the {len(kept.pairs)} pairs whole. The first: {why}.")
    threshold = settings.data.near_duplicates
    found = run_audit(
        scored.scores,
        scored.pairs,
        groups=prompt_groups(scored.pairs, threshold=threshold, seed=settings.data.seed),
        config=settings.audit,
        inputs={"data": data, **scored.inputs},
    )
    found.write(RunFolder(out))
    left_out = len(scored.left_out)
    write_jsonl(out / LEFT_OUT, ({"pair_id": name, "why": why} for name, why in scored.left_out.items()))
    body = {**found.to_dict(), "rows": kept.rows, "rejected_rows": len(kept.rejects), "left_out": left_out}
    text = summary(found, out, rejects=len(kept.rejects))
    if left_out:
        text += f"\n  {left_out:,} pairs left out that the model cannot read whole: {out / LEFT_OUT}"
    output({**body, "folder": str(out)}, text, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """scores by seed of `pairs`; left_out: pairs that a model cannot read whole, by id, and why; inputs: hashes."""

    scores: Mapping[int, Sequence[PairScore]]
    pairs: Sequence[Pair]
    inputs: Mapping[str, str]
    left_out: Mapping[str, str]


def scored_by(scorer: Path, pairs: Sequence[Pair]) -> Scored:
    """The pairs' scores: as recorded in a file, or given now by a model, or by every seed's model of a run."""
    if scorer.is_file():
        from assay.artifacts import sha256_file

        inputs = {"scores": sha256_file(scorer)}
        return Scored(scores={0: read_scores(scorer, pairs)}, pairs=pairs, inputs=inputs, left_out={})
    from assay.scorers.local import LocalScorer
    from assay.scorers.protocol import score_pairs, unreadable

    folders = {int(path.parent.name.removeprefix("seed-")): path for path in sorted(scorer.glob("seed-[0-9]*/model"))}
    models = {seed: LocalScorer(folder) for seed, folder in (folders or {0: scorer}).items()}
    left_out = {name: why for model in models.values() for name, why in unreadable(model, pairs).items()}
    whole = [pair for pair in pairs if pair.id not in left_out]
    return Scored(
        scores={seed: score_pairs(model, whole) for seed, model in models.items()},
        pairs=whole,
        inputs={f"scorer {seed}": model.fingerprint for seed, model in models.items()},
        left_out=left_out,
    )


def read_scores(path: Path, pairs: Sequence[Pair]) -> list[PairScore]:
    """Recorded scores for `pairs`; scores of other pairs in the file are left out. Raises InputError on a bad row."""
    from assay.artifacts import read_jsonl
    from assay.errors import InputError
    from assay.records import PairScore

    wanted = {pair.id for pair in pairs}
    found = []
    try:
        rows: list[Any] = list(read_jsonl(path))
    except ValueError as error:
        raise InputError(f"{path}: not JSON lines ({error}). One object a line: pair_id, chosen, rejected.") from None
    for line, row in enumerate(rows, 1):
        try:
            score = PairScore(
                pair_id=str(row["pair_id"]), chosen=number(row["chosen"]), rejected=number(row["rejected"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}:{line}: not a score ({error!r}). Each row has pair_id, chosen, rejected."
            ) from None
        if score.pair_id in wanted:
            found.append(score)
    return found


def number(value: object) -> float:
    """A reward as it stands in JSON, where null is a reward that was not finite."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)  # noqa: TRY004 - a value of the file, not of the program
    return float(value)


def summary(found: Audit, out: Path, *, rejects: int) -> str:
    """The main findings, one a line, in rich markup."""
    from rich.markup import escape

    colours = {"ok": "green", "warning": "yellow", "problem": "red", None: "dim"}
    lines = [f"[bold]audit[/] of {found.pairs:,} pairs ({rejects:,} rows were no definite pairs)  {escape(str(out))}"]
    for finding in found.findings:
        if finding.name not in SHOWN or finding.slice != "overall" or finding.seed is not None:
            continue
        said = f"{finding.value:.3f}" if finding.value is not None else f"unknown: {finding.reason}"
        if finding.interval:
            said += f"  ({finding.interval.low:.3f} to {finding.interval.high:.3f})"
        judged = finding.verdict or "-"
        lines.append(
            f"  [{colours[finding.verdict]}]{judged:<8}[/] {finding.name.replace('_', ' '):<27} {escape(said)}"
        )
    for row in found.tables["categories"]:
        lines.append(
            f"  {escape(row['category']):<36} accuracy {row['accuracy']:.3f}, longest wins {row['length_baseline']:.3f}"
        )
    return "\n".join(lines)
