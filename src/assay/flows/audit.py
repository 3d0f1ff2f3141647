"""From any scorer and labelled pairs to an audit: `assay audit`. Knows the order of the stages, not their insides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_jsonl, sha256_file, write_jsonl
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit, audit
from assay.data import read_pairs
from assay.data.intake import groups_of
from assay.errors import EmptyBatchError, InputError
from assay.records import Pair, PairScore
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import score_pairs, unreadable
from assay.train.reward_config import RewardConfig

LEFT_OUT = "left_out.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerAudit:
    """What was found.

    rows: rows read; rejects: of them no definite pairs; left_out: pairs a model cannot read whole, by id, and why.
    """

    audit: Audit
    rows: int
    rejects: int
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """scores by seed of `pairs`; left_out: pairs that a model cannot read whole, by id, and why; inputs: hashes."""

    scores: Mapping[int, Sequence[PairScore]]
    pairs: Sequence[Pair]
    inputs: Mapping[str, str]
    left_out: Mapping[str, str]


def audit_scorer(scorer: Path, source: Any, out: Path, *, config: RewardConfig) -> ScorerAudit:
    """Audit a scorer on labelled pairs and write audit.json and left_out.jsonl to the folder `out`.

    scorer: a model folder, a run folder (every seed), or a scores.jsonl. source: what assay.read_pairs takes. Raises
    EmptyBatchError where nothing is left to audit, and what reading pairs, scores and models raises.
    """
    kept = read_pairs(source, config=config.data)
    if not kept.pairs:
        raise EmptyBatchError(f"{source}: no pair to audit among {kept.rows} rows. Look at them with `assay check`.")
    scored = scored_by(scorer, kept.pairs)
    if not scored.pairs:
        why = next(iter(scored.left_out.values()))
        raise EmptyBatchError(f"{scorer} can read none of the {len(kept.pairs)} pairs whole. The first: {why}.")
    found = audit(
        scored.scores,
        scored.pairs,
        groups=groups_of(scored.pairs, kept.pairs, kept.groups),
        config=config.audit,
        inputs={"data": str(source), **scored.inputs},
    )
    found.write(RunFolder(out))
    write_jsonl(out / LEFT_OUT, ({"pair_id": name, "why": why} for name, why in scored.left_out.items()))
    return ScorerAudit(audit=found, rows=kept.rows, rejects=len(kept.rejects), left_out=scored.left_out)


def scored_by(scorer: Path, pairs: Sequence[Pair]) -> Scored:
    """The pairs' scores: as recorded in a file, or given now by a model, or by every seed's model of a run."""
    if scorer.is_file():
        inputs = {"scores": sha256_file(scorer)}
        return Scored(scores={0: read_scores(scorer, pairs)}, pairs=pairs, inputs=inputs, left_out={})
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
