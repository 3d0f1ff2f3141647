"""What people said of fresh pairs, beside what a judge says and the audit said: `assay fresh RUN --conclude STUDY`.

1) The pairs as they were chosen, untouched. 2) Votes of the closed study, or of a file of labels, on these pairs.
3) A judge's margins on all of them, unless it is the reward itself. 4) Accuracy, drop and the rest, with tables that
stand beside them, into fresh.json and its page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import filelock

from assay.artifacts.files import read_jsonl, sha256_file
from assay.artifacts.fresh_body import FRESH, FRESH_PAIRS, FreshBody, FreshPairsBody, JudgeBody, VotesBody
from assay.audits.fresh.config import FreshConfig
from assay.audits.fresh.fresh_findings import fresh_findings, outcome_of
from assay.audits.fresh.fresh_labels import LabelledPair, Tally
from assay.audits.fresh.fresh_pairs import FreshPair, FreshRow
from assay.audits.fresh.kpi_table import KpiFall, kpi_finding
from assay.errors import ArtifactError, ConfigError, InputError
from assay.flows.fresh import FreshRunConfig
from assay.flows.fresh_formed import PAIRS
from assay.flows.fresh_known import reward_scorers, static_of
from assay.flows.fresh_margins import Margin, margins_of
from assay.flows.fresh_tables import KpiSource, kpi_table, read_drift, read_kpis, table_hashes
from assay.flows.fresh_votes import FreshVotes, label_votes, study_votes
from assay.gate import Criterion, Verdict, decide, load_criteria
from assay.gate.criteria import criteria_hash
from assay.gate.fresh_evidence import fresh_evidence
from assay.gate.verdict import ARTIFACT as GATE
from assay.records import Message, Text
from assay.report.fresh.fresh_page import render_fresh
from assay.scorers.open import of_a_server, open_scorer
from assay.scorers.protocol import Scorer
from assay.scorers.shared_weights import shared_weights
from assay.version import __version__, versions

PAGE = "fresh.html"
JUDGED = "judged.jsonl"  # margins of judges, as they come
PACKAGES = ("numpy", "scipy", "torch", "transformers")
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshConclusion:
    """What is joined: a closed study or a file of labels, one of the two; a judge; tables beside.

    reward: held against that of the pairs, where it is given. drift: a run of `assay dpo`, its metrics.jsonl or a CSV.
    kpis: outside figures by version.
    """

    reward: str | None = None
    study: str | None = None
    labels: str | None = None
    judge: str | None = None
    drift: Path | None = None
    kpis: KpiSource | None = None
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPairs:
    """Fresh pairs as they were chosen: pairs and their rows, in one order."""

    made: FreshPairsBody
    pairs: Sequence[FreshPair]
    rows: Sequence[FreshRow]

    def config(self, settings: FreshRunConfig) -> FreshConfig:
        """What is asked now of pairs that were drawn before: level and tolerance are free, the draw is not."""
        drawn = FreshRunConfig.build(self.made.config).fresh
        return drawn.model_copy(update={"level": settings.fresh.level, "tolerated": settings.fresh.tolerated})


def conclude_fresh(
    out: Path,
    told: FreshConclusion,
    *,
    config: FreshRunConfig | None = None,
    notify: Notify = lambda _line: None,
) -> FreshBody:
    """Join votes, judge and tables to the fresh pairs in `out`; writes fresh.json and its page there.

    Raises StudyError for a study that is open or of other pairs, InputError for labels of other pairs and for tables
    that cannot be read, ArtifactError where there are no fresh pairs, of another reward, or they were changed.
    """
    if (told.study is None) == (told.labels is None):
        raise ConfigError("Give --conclude STUDY or --labelled FILE, one of the two.")
    settings = config or FreshRunConfig()
    chosen = chosen_pairs(out, told.reward)
    # Tables are read first: what is wrong with them costs no judge.
    drift = None if told.drift is None else read_drift(told.drift)
    kpis = None if told.kpis is None else read_kpis(told.kpis)
    votes = _votes(told, chosen, settings, notify)
    judge, margins = _judged(told.judge, chosen, out, settings, notify)
    labelled = _labelled(chosen, votes, margins)
    agreed, drawn = settings.data.min_agreement, chosen.config(settings)
    findings = fresh_findings(
        labelled,
        static_of(chosen.made.static, level=drawn.level),
        voters=votes.counted,
        min_agreement=agreed,
        config=drawn,
        judge=judge is not None and not judge.left_out,
    )
    outcome, sentence = outcome_of(findings, voters=votes.counted, config=drawn)
    if kpis is not None:
        findings.append(kpi_finding(kpi_table(kpis), [KpiFall(**one.model_dump()) for one in kpis.falls]))
    body = FreshBody(
        outcome=outcome,
        sentence=sentence,
        reward=chosen.made.reward,
        policy=chosen.made.policy,
        static=chosen.made.static,
        leaks=chosen.made.leaks,
        aside=chosen.made.aside,
        formed=chosen.made.formed,
        votes=votes_body(votes, labelled, agreed),
        judge=judge,
        drift=drift,
        kpis=kpis,
        findings=[one.to_body() for one in findings],
        notes=notes_of(chosen.made, votes, labelled),
        inputs={FRESH_PAIRS: sha256_file(out / FRESH_PAIRS), **votes.inputs, **table_hashes(told.kpis, told.drift)},
        config=settings.model_dump(mode="json"),
        assay_version=__version__,
        versions=versions(PACKAGES),
        command=told.command,
    )
    body.write(out / FRESH)
    render_fresh(body, out / PAGE)
    return body


def _votes(told: FreshConclusion, chosen: ChosenPairs, settings: FreshRunConfig, notify: Notify) -> FreshVotes:
    if told.study is not None:
        votes = study_votes(told.study, chosen.pairs, config=settings.fresh)
    else:
        votes = label_votes(str(told.labels), chosen.pairs, data=settings.data, config=settings.fresh)
    notify(f"votes      {votes.votes:,} on {len(votes.tallies):,} pairs ({votes.source})")
    return votes


def _judged(
    name: str | None, chosen: ChosenPairs, out: Path, settings: FreshRunConfig, notify: Notify
) -> tuple[JudgeBody | None, list[Margin]]:
    if name is None:
        return None, [Margin(value=None)] * len(chosen.pairs)
    try:
        with filelock.FileLock(out / ".fresh.lock", timeout=0):
            judge, margins = judged_pairs(name, chosen, out, settings=settings)
    except filelock.Timeout:
        raise InputError(f"{out}: another assay writes here. Wait for it.") from None
    notify(f"judge      {judge.left_out or f'{judge.labelled:,} of {len(chosen.pairs):,} pairs'}")
    return judge, margins


def _labelled(chosen: ChosenPairs, votes: FreshVotes, margins: Sequence[Margin]) -> list[LabelledPair]:
    return [
        LabelledPair(
            group=pair.group,
            drawn=row["purpose"] == "estimate",
            margins=row["margins"],
            tally=votes.tallies.get(pair.id),
            judged=margin.value,
        )
        for pair, row, margin in zip(chosen.pairs, chosen.rows, margins, strict=True)
    ]


def chosen_pairs(out: Path, reward: str | None) -> ChosenPairs:
    """Fresh pairs as they were chosen. Raises ArtifactError where there are none, or they are not what they were."""
    if not (out / FRESH_PAIRS).is_file():
        raise ArtifactError(f"{out} holds no fresh pairs: assay fresh RUN --policy POLICY --prompts FILE --out {out}.")
    made = FreshPairsBody.read(out / FRESH_PAIRS, again="Make fresh pairs anew, with another --out.")
    if reward is not None and reward != made.reward.name:
        raise ArtifactError(f"{out} holds fresh pairs of the reward {made.reward.name}, and {reward} was given.")
    path = out / PAIRS
    if not path.is_file() or sha256_file(path) != made.pairs:
        raise ArtifactError(f"{path} is not the file that {FRESH_PAIRS} names. Restore it: people judged these pairs.")
    rows = [cast("FreshRow", row) for row in read_jsonl(path)]
    pairs = [
        FreshPair(
            id=row["id"],
            prompt=_text(row["prompt"]),
            answer_a=row["answer_a"],
            answer_b=row["answer_b"],
            group=row["group"],
        )
        for row in rows
    ]
    return ChosenPairs(made=made, pairs=pairs, rows=rows)


def _text(value: object) -> Text:
    if isinstance(value, str):
        return value
    assert isinstance(value, list)
    return tuple(Message(role=turn["role"], content=turn["content"]) for turn in value)


def judged_pairs(
    name: str, chosen: ChosenPairs, out: Path, *, settings: FreshRunConfig
) -> tuple[JudgeBody, list[Margin]]:
    """A judge's margins on every pair. One that is the reward, or shares weights with it, is named and not asked."""
    judge = open_scorer(name, remote=settings.remote if of_a_server(name) else None)
    pairs = chosen.pairs
    shared = _shared(judge, chosen.made, settings)
    if shared:
        why = f"judge and reward share weights ({', '.join(shared)}): what one gets wrong, the other does too"
        body = JudgeBody(
            name=name, fingerprint=judge.fingerprint, shared=shared, left_out=why, labelled=0, undecided=0, missing={}
        )
        return body, [Margin(value=None)] * len(pairs)
    margins = margins_of(judge, pairs, out / JUDGED)
    missing = Counter(one.unread or "its reward is not finite" for one in margins if one.value is None)
    known = [one.value for one in margins if one.value is not None]
    body = JudgeBody(
        name=name,
        fingerprint=judge.fingerprint,
        shared=[],
        left_out="" if known else "it gave no pair a label",
        labelled=len(known),
        undecided=known.count(0.0),
        missing=dict(missing),
    )
    return body, margins


def _shared(judge: Scorer, made: FreshPairsBody, settings: FreshRunConfig) -> list[str]:
    """What judge and reward are both made of; the reward is opened anew only to be looked at."""
    if judge.fingerprint in made.reward.fingerprints.values():
        return [made.reward.name]
    remote = settings.remote if of_a_server(made.reward.name) else None
    reward = reward_scorers(made.reward.name, remote)
    return sorted({name for one in reward.values() for name in shared_weights(one, judge)})


def votes_body(votes: FreshVotes, labelled: Sequence[LabelledPair], min_agreement: float) -> VotesBody:
    def counts(drawn: bool) -> tuple[int, int]:
        tallies: list[Tally] = [one.tally for one in labelled if one.drawn is drawn and one.tally is not None]
        return len(tallies), sum(one.preferred(min_agreement) is not None for one in tallies)

    (asked, decided), (unsure, unsure_decided) = counts(True), counts(False)
    return VotesBody(
        source=votes.source,
        counted=votes.counted,
        others=dict(votes.others),
        votes=votes.votes,
        judges=votes.judges,
        asked=sum(one.drawn for one in labelled),
        labelled=asked,
        decided=decided,
        unsure_labelled=unsure,
        unsure_decided=unsure_decided,
        failed=votes.failed,
        failed_votes=votes.failed_votes,
    )


def notes_of(made: FreshPairsBody, votes: FreshVotes, labelled: Sequence[LabelledPair]) -> list[str]:
    """What a reader has to know before the figures."""
    notes = list(votes.notes)
    if votes.counted != "human":
        notes.insert(0, f"No person voted: every figure is by judges that are programs ({votes.counted}).")
    asked = sum(one.drawn for one in labelled)
    unlabelled = sum(one.drawn and one.tally is None for one in labelled)
    if unlabelled:
        notes.append(
            f"{unlabelled} of the {asked} pairs of the random sample have no vote; if they are others than the rest, "
            "what is estimated is off by that."
        )
    if made.leaks.looked is None:
        notes.append(f"Whether these prompts stood in the reward's data is not known: {made.leaks.reason}.")
    return notes


def decide_fresh(out: Path, criteria: Path | str | Sequence[Criterion]) -> Verdict:
    """Decide by criteria on what stands in `out` and write gate.json beside it. Raises GateError, ArtifactError."""
    asked = load_criteria(criteria) if isinstance(criteria, str | Path) else criteria
    evidence = fresh_evidence(out)
    inputs: Mapping[str, str] = {**evidence.inputs, "criteria": criteria_hash(asked)}
    verdict = decide(replace(evidence, inputs=inputs), asked)
    verdict.to_body().write(out / GATE)
    return verdict
