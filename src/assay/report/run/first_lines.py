"""What a reader must know before the verdict: how much of the data it rests on, seeds that learned nothing, looks.

Knows the run's contract and training curves; knows no HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.audits.lost_rows import rests_on
from assay.report import words
from assay.report.look_text import look_sentence, repeated
from assay.report.lost_sentences import lost_sentences, rests_on_most
from assay.report.run.reported_run import ReportedRun
from assay.train.config import LossConfig
from assay.train.recorded_config import FlowConfig, recorded_config
from assay.train.reward_config import RewardConfig
from assay.train.untrained import untrained


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLine:
    """One notice. title: what it is about; grave: whether it changes how the rest is to be read; of_verdict: whether it
    says how the verdict was reached, so that without being grave it stands with it."""

    title: str
    text: str
    grave: bool
    of_verdict: bool = False


def first_lines(evidence: ReportedRun) -> list[FirstLine]:
    """Notices, those that change how the page is to be read first."""
    lines = (data_line(evidence), training_line(evidence), look_line(evidence))
    found = [line for line in lines if line is not None]
    return sorted(found, key=lambda line: not line.grave)


def data_line(evidence: ReportedRun) -> FirstLine | None:
    """How much of the data is left; None where all of it is."""
    if evidence.contract is None:
        why = "What share of the rows this rests on is unknown: contract.json is missing from the run folder."
        return FirstLine(title="Data.", text=why, grave=True)
    found = rests_on(evidence.contract, evidence.findings, evidence.split)
    told = " ".join(lost_sentences(found))
    if not told:
        return None
    few = not rests_on_most(found)
    return FirstLine(title="Not all of the data." if few else "Data.", text=told, grave=few)


def look_line(evidence: ReportedRun) -> FirstLine | None:
    """Which look at the held-out pairs the verdict is from; None for a first one of which no other is planned."""
    told = look_sentence(evidence.gate.looks)
    if told is None:
        return None
    grave = repeated(evidence.gate.looks)
    return FirstLine(title="Looks.", text=words.sentence(told), grave=grave, of_verdict=not grave)


def training_line(evidence: ReportedRun) -> FirstLine | None:
    """Seeds whose loss stayed at guessing; None where every seed learned something, or has no curve."""
    loss = loss_of(recorded_config(evidence.run.config))
    if loss is None:
        return None
    found = {one.seed: why for one in evidence.seeds if (why := untrained(one.metrics, loss)) is not None}
    if not found:
        return None
    first = next(iter(found))
    seeds = words.listing([str(seed) for seed in found])
    named = f"Seed {seeds}" if len(found) == 1 else f"Seeds {seeds}; of seed {first}"
    return FirstLine(title="Untrained.", text=words.sentence(f"{named}: {found[first]}"), grave=True)


def loss_of(config: FlowConfig) -> LossConfig | None:
    """The loss by which guessing is known; None for losses of policies of which guessing loses no fixed amount."""
    if isinstance(config, RewardConfig):
        return config.loss
    plain = config.dpo.terms == (("sigmoid", 1.0),) and not config.dpo.label_smoothing
    return LossConfig(centring=0) if plain else None
