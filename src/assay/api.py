"""What a notebook calls: everything the commands do, as functions on any in-memory pairs.

Every name here is also `assay.<name>`. Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from assay.audits.config import AuditConfig
from assay.data.config import DataConfig, SplitConfig
from assay.models.config import ModelConfig
from assay.records import Candidates, Pair
from assay.train.config import LossConfig, TrainConfig

if TYPE_CHECKING:
    from assay.audits import Audit
    from assay.data import CheckReport, PairSet, Split
    from assay.gate import Verdict
    from assay.scorers.open import AnyScorer
    from assay.scorers.protocol import Scored, Scorer
    from assay.scorers.scored_pairs import PairScores, ScoredPair
    from assay.train import TrainResult


def read_pairs(source: object, *, config: DataConfig | None = None) -> PairSet:
    """Read preference pairs into memory: `.pairs`, `.rejects` and `.rows`, with len(pairs) + len(rejects) == rows.

    source: a file, a folder, a Hugging Face dataset id, a list of dicts or Pairs, or a table.
    Raises InputError where the source as a whole cannot be read, or its layout is not clear.
    """
    from assay.data import read_pairs as read

    return read(source, config=config or DataConfig())


def check(source: object, out: Path | str | None = None, *, config: DataConfig | None = None) -> CheckReport:
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


def open_scorer(text: Path | str) -> Scorer:
    """The scorer that `text` names: a reward model by folder or hub id, a file of recorded scores, or kind:argument.

    Kinds: baseline:longest, baseline:shortest, baseline:random, baseline:constant, local:FOLDER, recorded:FILE.
    """
    from assay.scorers import open_scorer as run

    return run(text)


@overload
def score(scorer: AnyScorer, items: Sequence[Pair]) -> list[ScoredPair]: ...
@overload
def score(scorer: AnyScorer, items: Sequence[Candidates]) -> list[tuple[Scored, ...]]: ...
@overload
def score(scorer: AnyScorer, items: Sequence[Pair | Candidates]) -> list[ScoredPair | tuple[Scored, ...]]: ...
def score(scorer: AnyScorer, items: Sequence[Pair | Candidates]) -> object:
    """Score pairs (a ScoredPair each) and candidates (a tuple each) in the order given: Reward, or Unscored and why.

    scorer: a Scorer, a function of (prompt, answers) that gives numbers, or what open_scorer takes.
    Raises InputError for what is neither a Pair nor Candidates.
    """
    from assay.scorers import as_scorer
    from assay.scorers.scored_pairs import score_items

    return score_items(as_scorer(scorer), items)


def audit(
    scores: AnyScorer | PairScores | Mapping[int, AnyScorer | PairScores],
    pairs: Sequence[Pair],
    *,
    groups: Sequence[str] | None = None,
    config: AuditConfig | None = None,
) -> Audit:
    """Audit a scorer on labelled pairs it was not trained on.

    scores: a scorer as `score` takes it (of a run folder, every seed), or what `score` gave for the pairs; several
    seeds' as a mapping by seed. Pairs of which an answer could not be taken are left out, with a UserWarning.
    """
    from assay.flows.audit import audit_scores

    return audit_scores(scores, pairs, groups=groups, config=config)


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
    return run(Evidence(audit=evidence, split=proof), load_criteria(criteria))
