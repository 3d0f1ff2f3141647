"""What a notebook calls: everything the commands do, as functions on any in-memory pairs.

Every name here is also `assay.<name>`. Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.audits.config import AuditConfig
from assay.data.config import DataConfig, SplitConfig
from assay.models.config import ModelConfig
from assay.records import Candidates, Pair, PairScore
from assay.train.config import LossConfig, TrainConfig

if TYPE_CHECKING:
    from assay.audits import Audit
    from assay.data import CheckReport, PairSet, Split
    from assay.gate import Verdict
    from assay.scorers.protocol import Scorer
    from assay.train import TrainResult


def read_pairs(source: Any, *, config: DataConfig | None = None) -> PairSet:
    """Read preference pairs into memory: `.pairs`, `.rejects` and `.rows`, with len(pairs) + len(rejects) == rows.

    source: a file, a folder, a Hugging Face dataset id, a list of dicts or Pairs, or a table.
    Raises InputError where the source as a whole cannot be read, or its layout is not clear.
    """
    from assay.data import read_pairs as read

    return read(source, config=config or DataConfig())


def check(source: Any, out: Path | str | None = None, *, config: DataConfig | None = None) -> CheckReport:
    """Check pairs in bounded memory; with `out`, write contract.json, rejects.jsonl and review.jsonl there."""
    from assay.data import check as run

    return run(source, None if out is None else Path(out), config=config or DataConfig())


def split(pairs: Sequence[Pair], *, config: SplitConfig | None = None) -> Split:
    """Grouped, stratified, exact-size split: `.train`, `.held_out` and `.proof`. Raises SplitError if impossible."""
    from assay.data import split as run

    return run(pairs, config=config or SplitConfig())


def train_reward(
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    out: Path | str,
    *,
    model: ModelConfig | None = None,
    loss: LossConfig | None = None,
    config: TrainConfig | None = None,
    seed: int = 0,
) -> TrainResult:
    """Train one reward model into the folder `out`; the same call after a kill goes on where it stopped."""
    from assay.train import train_reward as run

    return run(
        train,
        held_out,
        model=model or ModelConfig(),
        loss=loss or LossConfig(),
        config=config or TrainConfig(),
        seed=seed,
        out=Path(out),
    )


def load(model: Path | str) -> Scorer:
    """A scorer from a saved reward model: a folder assay wrote, or any sequence-classification model."""
    from assay.scorers.local import LocalScorer

    return LocalScorer(str(model))


def score(model: Scorer | Path | str, items: Sequence[Pair] | Sequence[Candidates]) -> list[Any]:
    """Score pairs (one PairScore each) or candidates (one tuple of rewards each), in the order given."""
    from assay.scorers.protocol import score_pairs

    scorer = load(model) if isinstance(model, (str, Path)) else model
    pairs = [item for item in items if isinstance(item, Pair)]
    if len(pairs) == len(items):
        return list(score_pairs(scorer, pairs))
    return list(scorer.score([item for item in items if isinstance(item, Candidates)]))


def audit(
    scores: Mapping[int, Sequence[PairScore]] | Sequence[PairScore],
    pairs: Sequence[Pair],
    *,
    groups: Sequence[str] | None = None,
    config: AuditConfig | None = None,
) -> Audit:
    """Audit a scorer on labelled pairs it was not trained on; several seeds' scores as a mapping by seed."""
    from assay.audits import audit as run

    return run(scores, pairs, groups=groups, config=config)


def decide(evidence: Audit | Path | str, criteria: Path | str | None = None, *, split: Split | None = None) -> Verdict:
    """Decide an audit, or a run folder, by criteria in YAML (None: the built-in ones).

    split: where an audit's pairs were held out. Without its proof the built-in criteria fail: a leak was not ruled out.
    Raises ConfigError for criteria that cannot be read, ArtifactError for a run folder without an audit.
    """
    from assay.gate import Evidence, decide_run, load_criteria
    from assay.gate import decide as run

    if isinstance(evidence, (str, Path)):
        return decide_run(evidence, criteria)
    proof = None if split is None else split.proof
    return run(Evidence(figures=evidence, split=proof), load_criteria(criteria))
