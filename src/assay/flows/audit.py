"""From any scorer and labelled pairs to an audit: `assay audit`. Knows the order of the stages, not their insides."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts.files import write_jsonl
from assay.artifacts.rests_on_body import RestsOn
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit, audit
from assay.audits.config import AuditConfig, ProbeConfig
from assay.audits.lost_rows import rests_on
from assay.audits.objective_heads import objective_part
from assay.audits.pairs.audit import default_groups
from assay.audits.part import Evidence, Part
from assay.audits.position_flips import position_part
from assay.audits.probes.all_probes import probe_names
from assay.audits.rescored import Rescored
from assay.audits.trained_on import TrainedOn
from assay.bulk.spread_scorer import SpreadScorer
from assay.config import StageConfig
from assay.data import read_pairs
from assay.data.config import DataConfig
from assay.data.contract_report import write_contract
from assay.errors import EmptyBatchError, InputError
from assay.flows.audit_candidates import candidates_of, score_candidates, score_derived, scored_groups
from assay.flows.rescoring import rescored
from assay.records import Pair, PairScore
from assay.scorers.combined.combined_scorer import CombinedScorer
from assay.scorers.local import LocalScorer
from assay.scorers.open import AnyScorer, as_scorer, open_scorers
from assay.scorers.protocol import Scorer, noticed
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.remote_scorer import RemoteScorer
from assay.scorers.scored_pairs import PairScores, ScoredPair, score_pairs

LEFT_OUT = "left_out.jsonl"


class ScorerAuditConfig(StageConfig):
    """What `assay audit` reads: data, how a server is asked, how scores are audited, what is scored beside them."""

    data: DataConfig = DataConfig()
    remote: RemoteConfig = RemoteConfig()
    audit: AuditConfig = AuditConfig()
    probes: ProbeConfig = ProbeConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerAudit:
    """What was found.

    rows: rows read; rejects: of them no definite pairs; left_out: pairs of which the scorer could not take an answer,
    by id, and why. rests_on: what became of the rows of each category. no_groups: why candidates could not be
    audited as groups, None where they were or there are none.
    """

    audit: Audit
    rows: int
    rejects: int
    left_out: Mapping[str, str]
    rests_on: RestsOn
    no_groups: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What can be audited: pairs, their groups and their scores by seed; left_out: the others, by id, and why."""

    pairs: Sequence[Pair]
    groups: Sequence[str] | None
    scores: Mapping[int, Sequence[PairScore]]
    left_out: Mapping[str, str]


def audit_scorer(
    scorer: Path | str,
    source: object,
    out: Path,
    *,
    config: ScorerAuditConfig,
    template: str | None = None,
    trained_on: str | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> ScorerAudit:
    """Audit a scorer on labelled pairs; audit.json, left_out.jsonl and the data's contract go to the folder `out`.

    scorer, template: what assay.open_scorer takes; of a run folder, every seed. The rest, and what is raised: see
    audit_scorers.
    """
    refuse_run_folder(out)
    scorers = open_scorers(scorer, template=template, remote=config.remote)
    return audit_scorers(scorers, source, out, config=config, trained_on=trained_on, notify=notify)


def refuse_run_folder(out: Path) -> None:
    """Raises InputError where `out` is a run's folder."""
    if (out / "run.json").exists():
        raise InputError(f"{out} is the folder of a run, whose own audit would be lost. Give another --out.")


def audit_scorers(
    scorers: Mapping[int, Scorer],
    source: object,
    out: Path,
    *,
    config: ScorerAuditConfig,
    trained_on: str | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> ScorerAudit:
    """As audit_scorer, of scorers that are opened already, by seed.

    source: what assay.read_pairs takes. trained_on: the same, of the pairs the scorer was trained on. notify: gets a
    line now and then where answers are scored beside the pairs' own. An audit that was interrupted there goes on from
    `rescored.jsonl`.
    Raises InputError where `out` is a run's folder, EmptyBatchError where nothing is left to audit, and what
    reading pairs, scores and models raises.
    """
    refuse_run_folder(out)
    probe_names(config.probes.names)  # a name there is not costs no reading of data
    fingerprints = {f"scorer {seed}": one.fingerprint for seed, one in scorers.items()}  # fails before data are read
    renders = {seed: rendering_of(one) for seed, one in scorers.items()}
    rendered = {f"rendering {seed}": said for seed, said in renders.items() if said is not None}
    found = read_pairs(source, config=config.data)
    if not found.pairs:
        raise EmptyBatchError(f"{source}: no pair to audit among {found.rows} rows. Look at them with `assay check`.")
    candidates, no_groups = candidates_of(source, found, config.data)
    results = {seed: score_candidates(one, candidates) if candidates else None for seed, one in scorers.items()}
    scores = {seed: score_derived(one, found.pairs, candidates, results[seed]) for seed, one in scorers.items()}
    kept = without_unscored(scores, found.pairs, found.groups)
    if not kept.pairs:
        why = next(iter(kept.left_out.values()))
        name = next(iter(scorers.values())).name
        raise EmptyBatchError(f"{name} can read none of the {len(found.pairs)} pairs whole. The first: {why}.")
    training = None if trained_on is None else _training(trained_on, config.data)
    told = {} if trained_on is None else {"trained on": trained_on}
    groups = kept.groups or found.groups
    beside = _rescored(scorers, kept.pairs, groups, config=config.probes, folder=out, notify=notify)
    whole = scored_groups(candidates, results, found.pairs, found.groups) if candidates else ()
    audited = audit(
        kept.scores,
        kept.pairs,
        groups=groups,
        config=config.audit,
        inputs={"data": str(source), **told, **fingerprints, **rendered},
        evidence=Evidence(rescored=beside, trained_on=training, candidates=whole, parts=_parts(scores, scorers)),
    )
    audited = replace(audited, findings=(*audited.findings, *(one for s in scorers.values() for one in noticed(s))))
    audited.write(RunFolder(out))
    write_jsonl(out / LEFT_OUT, ({"pair_id": name, "why": why} for name, why in kept.left_out.items()))
    write_contract(out, found.report, found.rejects)
    return ScorerAudit(
        audit=audited,
        rows=found.rows,
        rejects=len(found.rejects),
        left_out=kept.left_out,
        rests_on=rests_on(found.report, audited.findings),
        no_groups=no_groups,
    )


def _parts(scores: Mapping[int, PairScores], scorers: Mapping[int, Scorer]) -> list[Part]:
    """What is to be found of scorers that say more than a number: places of a judge, objectives of a combination."""
    opened = [one.alike if isinstance(one, SpreadScorer) else one for one in scorers.values()]
    combined = [one for one in opened if isinstance(one, CombinedScorer)]
    objectives = tuple(combined[0].scorers) if len(combined) == len(scorers) == 1 else ()
    return [position_part(scores), objective_part(scores, objectives)]


def rendering_of(scorer: Scorer) -> str | None:
    """With what a scorer makes tokens of texts, in words; None where it makes none."""
    return scorer.rendering if isinstance(scorer, LocalScorer | RemoteScorer | SpreadScorer) else None


def _training(source: str, config: DataConfig) -> TrainedOn:
    """The pairs trained on, read as the audit's own are. Raises EmptyBatchError where none can be read."""
    found = read_pairs(source, config=config)
    if not found.pairs:
        raise EmptyBatchError(
            f"{source}: no pair among {found.rows} rows, so nothing can be held against the training. Look at them "
            "with `assay check`."
        )
    return TrainedOn(pairs=found.pairs, threshold=config.near_duplicates)


def audit_scores(
    scores: AnyScorer | PairScores | Mapping[int, AnyScorer | PairScores],
    pairs: Sequence[Pair],
    *,
    groups: Sequence[str] | None = None,
    config: AuditConfig | None = None,
    probes: str = "none",
    trained_on: Sequence[Pair] | None = None,
) -> Audit:
    """Audit a scorer, or scores that were given, on pairs in memory; see assay.audit.

    Pairs of which an answer could not be taken are left out, with a UserWarning that counts them. Raises
    EmptyBatchError where none is left, ConfigError for a probe there is not, and what `audit` raises.
    """
    names = probe_names(probes)
    asked = _by_seed(scores)
    given = scores_by_seed(asked, pairs)
    kept = without_unscored(given, pairs, groups)
    if kept.left_out:
        name, why = next(iter(kept.left_out.items()))
        told = f"{len(kept.left_out)} of {len(pairs)} pairs have an answer without a reward. The first, {name}: {why}."
        if not kept.pairs:
            raise EmptyBatchError(f"audit: {told}")
        warnings.warn(f"audit: left out: {told}", UserWarning, stacklevel=3)
    scorers = {seed: one for seed, one in asked.items() if isinstance(one, Scorer)}
    beside = None
    if names and len(scorers) < len(asked):
        beside = Rescored(asked=names, why_not="scores were given and no scorer, which changed answers could be put to")
    elif names:
        within = kept.groups or default_groups(kept.pairs, config or AuditConfig())
        beside = _rescored(scorers, kept.pairs, within, config=ProbeConfig(names=probes))
    training = None if trained_on is None else TrainedOn(pairs=trained_on)
    evidence = Evidence(rescored=beside, trained_on=training, parts=_parts(given, scorers))
    return audit(kept.scores, kept.pairs, groups=kept.groups, config=config, evidence=evidence)


def _rescored(
    scorers: Mapping[int, Scorer],
    pairs: Sequence[Pair],
    groups: Sequence[str],
    *,
    config: ProbeConfig,
    folder: Path | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> Rescored | None:
    """As `rescored`, of the pairs with a definite label: the others are set aside in an audit."""
    definite = [place for place, pair in enumerate(pairs) if pair.label == "chosen"]
    return rescored(
        scorers,
        [pairs[place] for place in definite],
        [groups[place] for place in definite],
        config=config,
        folder=folder,
        notify=notify,
    )


def _by_seed(scores: AnyScorer | PairScores | Mapping[int, AnyScorer | PairScores]) -> dict[int, Scorer | PairScores]:
    """Scorers, or scores as they were given, by seed; whatever stands for a scorer is made one."""
    if isinstance(scores, Path | str):
        scores = open_scorers(scores)
    by_seed = scores if isinstance(scores, Mapping) else {0: scores}
    return {
        seed: one if isinstance(one, Sequence) and not isinstance(one, str) else as_scorer(one)
        for seed, one in by_seed.items()
    }


def scores_by_seed(
    scores: AnyScorer | PairScores | Mapping[int, AnyScorer | PairScores], pairs: Sequence[Pair]
) -> dict[int, PairScores]:
    """Scores as they were given, or as the scorers give them now, by seed."""
    return {
        seed: one if isinstance(one, Sequence) else score_pairs(one, pairs) for seed, one in _by_seed(scores).items()
    }


def without_unscored(
    scores: Mapping[int, PairScores], pairs: Sequence[Pair], groups: Sequence[str] | None = None
) -> Kept:
    """The pairs of which every seed took both answers. A reward that is not finite stays, and is wrong in the audit."""
    left_out = {
        one.pair_id: one.unread
        for seed in sorted(scores)
        for one in scores[seed]
        if isinstance(one, ScoredPair) and one.unread is not None
    }
    if left_out:
        places = [place for place, pair in enumerate(pairs) if pair.id not in left_out]
        pairs = [pairs[place] for place in places]
        groups = None if groups is None else [groups[place] for place in places]
    numbers = {
        seed: [one if isinstance(one, PairScore) else one.numbers for one in several if one.pair_id not in left_out]
        for seed, several in scores.items()
    }
    return Kept(pairs=pairs, groups=groups, scores=numbers, left_out=left_out)
