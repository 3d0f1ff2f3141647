"""What the votes say of the labels: their ceiling, how far people agree, and labels that stand against their votes."""

from __future__ import annotations

import numpy as np
from scipy import special

from assay.audits.label_quality.label_meanings import MEANINGS
from assay.audits.label_quality.label_votes import LabelVotes
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.stats.agreement import alpha
from assay.stats.dawid_skene import FIRST, SECOND
from assay.stats.intervals import Array, Codes
from assay.stats.label_noise import PLANNED, TurnedShare, turned_against_votes
from assay.stats.noise_ceiling import noise_ceiling
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown

TOLERATED = 0.02  # of the labels may stand against their votes: annotators are not quite what any model makes of them
ASSUMES = (
    "votes independent given the pair, from people drawn at random, as many whatever was voted before; "
    "labels by majority"
)


def ceiling_finding(votes: LabelVotes, groups: Codes, *, level: float) -> Finding:
    """The upper end of the identified interval, its lower end in the detail; the finding's interval holds both."""
    meaning = MEANINGS["noise_ceiling"]
    if not votes.count:
        return unknown(meaning, "the pairs carry no votes, so nothing tells how often people disagree", n=0)
    found = noise_ceiling(votes.for_side(FIRST), votes.for_side(SECOND), groups, level=level)
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, n=int(np.unique(votes.pair_V).size))
    majority = votes.for_side(FIRST) > votes.for_side(SECOND)
    detail = {
        "labels_not_majority": int((~majority[np.unique(votes.pair_V)]).sum()),
        "identified_low": found.low,
        "identified_high": found.high,
        "votes": found.votes,
        "two_votes_differ": found.disagreement,
        "point_if_beta": found.if_beta,
        "assumes": ASSUMES,
    }
    return measured(meaning, found.high, n=found.items, interval=found.interval, detail=detail)


def agreement_finding(votes: LabelVotes, groups: Codes, *, level: float, resamples: int, seed: int) -> Finding:
    meaning = MEANINGS["vote_agreement"]
    # Which answer is called chosen is what the votes themselves decided, so both namings count alike.
    found = alpha(
        votes.by_turn(), clusters=groups, exchangeable=(0.0, 1.0), level=level, resamples=resamples, seed=seed
    )
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, n=int(np.unique(votes.pair_V).size))
    detail = {"two_votes_agree": found.observed, "votes": found.labels}
    return measured(meaning, found.value, n=found.units, interval=found.interval, detail=detail)


def against_votes(right_N: Array, votes: LabelVotes, groups: Codes, *, level: float) -> Finding:
    """Labels turned round, as the votes tell it. right_N: chance by the votes that the label is right."""
    meaning = MEANINGS["labels_against_votes"]
    voted = np.unique(votes.pair_V)
    found = turned_against_votes(right_N[voted], groups[voted], tolerated=TOLERATED, level=level)
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, n=int(voted.size))
    contrary = int((votes.for_side(SECOND) > votes.for_side(FIRST)).sum())
    detail = {"labels_against_majority": contrary, "votes": votes.count, "tolerated": TOLERATED}
    alarm = Alarm(p=found.p, strength="problem", power=power_to_find(found, beyond=TOLERATED))
    return measured(meaning, found.value, n=int(voted.size), interval=found.interval, detail=detail, alarm=alarm)


def power_to_find(found: TurnedShare, *, beyond: float = 0.0) -> float:
    """The chance that a tenth of the labels turned would be found by itself, by the standard error at hand."""
    if found.error <= 0:
        return 1.0
    return float(special.ndtr((PLANNED - beyond) / found.error + special.ndtri(FAMILY_ALPHA)))
