"""Who voted, one by one: how far each agrees with others, and whether a side or a length draws him.

Every vote is set beside the other votes on the same pair, so that hard pairs, and people's own taste for long
answers, are nobody's fault; where there are none, beside what other annotators did on the whole. Each annotator is then
a mean of differences, clustered by prompt group, and all of them are judged together by Holm's rule.
Shapes: V votes, A annotators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.artifacts.audit_labels_table import AnnotatorRow
from assay.audits.label_quality.label_meanings import MEANINGS
from assay.audits.label_quality.label_votes import LabelVotes
from assay.audits.scores_table import Mask
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.findings.vocabulary import Meaning
from assay.stats.dawid_skene import FIRST, LEFT, TIE, UNKNOWN_PLACE, Readers
from assay.stats.intervals import Array, Codes
from assay.stats.multiplicity import holm
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown

FEWEST_VOTES = 20
FEWEST_PROMPTS = 10
SIDE_TOLERATED = 0.05
LENGTH_TOLERATED = 0.10  # who reads better than others picks the longer answer more often where people like long ones
AGREEMENT_TOLERATED = 0.10
MATTERS = 0.25  # beyond the others: left in three of four where others take it in half; a coin among people who agree
LEAST_EASED = 0.25  # of the variance seen: less is not believed of a few votes
SHOWN = 200  # annotators in the table, those with most votes first


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """One question put to every annotator. mean_A, error_A: his difference to the others and its standard error, NaN
    under 20 votes or 10 prompts. degrees_A: of freedom. own_A: what he did himself; beside_A: what others did.
    square_A: mean square of the differences; turn_A: what it falls by, a vote, where one that went against the others
    goes with them.
    """

    mean_A: Array
    error_A: Array
    degrees_A: Codes
    own_A: Array
    beside_A: Array
    square_A: Array
    turn_A: Array

    def beyond(self, tolerated: float) -> Array:
        """Two-sided p values that he differs by more than is tolerated, (A,); NaN where he was not asked."""
        return np.minimum(2 * self._tail(np.abs(self.mean_A) - tolerated, self.error_A), 1.0)

    def below(self, tolerated: float) -> Array:
        """One-sided p values that he falls short by more than is tolerated, (A,); NaN where he was not asked.

        A score test: the error is the one he would have if he fell short by just what is tolerated. Who goes against
        people of one mind makes his differences spread for that reason, and would hide behind a spread of his own
        making.
        """
        excess_A = np.maximum(-self.mean_A - tolerated, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            seen_A = self.square_A - np.square(self.mean_A)
            # So many votes as he is beyond what is tolerated turned round, each takes its part of the squares away.
            eased_A = self.square_A - excess_A * self.turn_A - tolerated**2
            ratio_A = np.where(seen_A > 0, np.clip(eased_A / seen_A, LEAST_EASED, 1.0), 1.0)
        return self._tail(-self.mean_A - tolerated, self.error_A * np.sqrt(np.where(excess_A > 0, ratio_A, 1.0)))

    def _tail(self, excess_A: Array, error_A: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(special.stdtr(np.maximum(self.degrees_A, 1), -excess_A / error_A))

    def power(self, tolerated: float, tests: int) -> float | None:
        """The chance that the middle one of the annotators asked would be found where he leans as far as matters."""
        asked = self.error_A[np.isfinite(self.error_A)]
        if not asked.size:
            return None
        reach = (MATTERS - tolerated) / np.maximum(asked, 1e-9) + special.ndtri(FAMILY_ALPHA / max(tests, 1) / 2)
        return float(np.median(special.ndtr(reach)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All annotators' answers to the three questions."""

    side: Differences
    length: Differences
    agreement: Differences


def ask(votes: LabelVotes, longer_N: Array, groups: Codes) -> Asked:
    """longer_N: 1 where the chosen answer is the longer one, -1 where it is shorter, 0 where both are alike."""
    said = votes.says_V != TIE
    took_first = (votes.says_V == FIRST).astype(np.float64)
    first_N, second_N = (np.bincount(votes.pair_V[votes.says_V == side], minlength=votes.pairs) for side in (0, 1))
    same = np.where(votes.says_V == FIRST, first_N[votes.pair_V], second_N[votes.pair_V]) - 1.0
    others = (first_N + second_N)[votes.pair_V] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        # Of the others, the share that took the first answer, and the share of their own pairs of votes that agree.
        first_of_others = (first_N[votes.pair_V] - took_first) / others
        unlike = others - same
        alike = (same * (same - 1) + unlike * (unlike - 1)) / (others * (others - 1))
        agreed = same / others
    chosen_left = np.where(votes.place_V == LEFT, 1, -1)
    chosen_longer = longer_N[votes.pair_V]

    def toward(sign_V: Array, share_V: Array) -> Array:
        return np.where(sign_V > 0, share_V, 1 - share_V)

    return Asked(
        side=_differences(
            votes,
            groups,
            said & (votes.place_V != UNKNOWN_PLACE),
            toward(chosen_left, took_first),
            toward(chosen_left, np.where(others > 0, first_of_others, np.nan)),
        ),
        length=_differences(
            votes,
            groups,
            said & (chosen_longer != 0),
            toward(chosen_longer, took_first),
            toward(chosen_longer, np.where(others > 0, first_of_others, np.nan)),
        ),
        agreement=_differences(votes, groups, said & (others > 0), agreed, np.where(others > 1, alike, np.nan)),
    )


def _differences(votes: LabelVotes, groups: Codes, asked_V: Mask, own_V: Array, beside_V: Array) -> Differences:
    """Each annotator's mean of own less beside; where a vote stands alone, beside what all others did on the whole."""
    count = len(votes.names)
    asked = asked_V & (votes.annotator_V >= 0)
    who, own, beside = votes.annotator_V[asked], own_V[asked], beside_V[asked]
    group = groups[votes.pair_V[asked]]
    n_A = np.bincount(who, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        own_A = np.bincount(who, weights=own, minlength=count) / n_A
        rest_A = (own.sum() - np.bincount(who, weights=own, minlength=count)) / (own.size - n_A)
        beside = np.where(np.isnan(beside), rest_A[who], beside)
        beside_A = np.bincount(who, weights=beside, minlength=count) / n_A
        mean_A = own_A - beside_A
        # Pulls are added up within an annotator's prompt before they are squared.
        cell, at = np.unique(who * (int(groups.max()) + 1) + group, return_inverse=True)
        pull = np.bincount(at.ravel(), weights=own - beside - mean_A[who], minlength=cell.size)
        owner = cell // (int(groups.max()) + 1)
        prompts_A = np.bincount(owner, minlength=count)
        square_A = np.bincount(owner, weights=np.square(pull), minlength=count)
        error_A = np.sqrt(prompts_A / (prompts_A - 1.0) * square_A) / n_A
        # A few prompts may look calmer than a coin would: no calmer than a tenth of it is believed.
        error_A = np.maximum(error_A, 0.15 / np.sqrt(n_A))
        square_V, against = np.square(own - beside), own < beside
        mean_square_A = np.bincount(who, weights=square_V, minlength=count) / n_A
        # From against to with them, own moves by one and the square from b^2 to (1 - b)^2, b being what others did.
        turn = np.bincount(who, weights=np.where(against, 2 * beside - 1, 0.0), minlength=count)
        turn_A = np.nan_to_num(turn / np.bincount(who, weights=against, minlength=count))
    few = (n_A < FEWEST_VOTES) | (prompts_A < FEWEST_PROMPTS) | ~np.isfinite(mean_A)
    return Differences(
        mean_A=np.where(few, np.nan, mean_A),
        error_A=np.where(few, np.nan, error_A),
        degrees_A=prompts_A - 1,
        own_A=own_A,
        beside_A=beside_A,
        square_A=mean_square_A,
        turn_A=turn_A,
    )


def annotator_findings(votes: LabelVotes, asked: Asked) -> list[Finding]:
    """Who is drawn by a side or a length, and who agrees with nobody; each judged over all annotators."""
    bias = [("side", asked.side, SIDE_TOLERATED), ("length", asked.length, LENGTH_TOLERATED)]
    p_bias = np.concatenate([question.beyond(tolerated) for _, question, tolerated in bias])
    worst = bias[0] if np.isfinite(asked.side.mean_A).any() else bias[1]
    power = worst[1].power(worst[2], int(np.isfinite(p_bias).sum()))
    p_agreement = asked.agreement.below(AGREEMENT_TOLERATED)
    return [
        _finding(MEANINGS["biased_annotators"], votes, p_bias, power),
        _finding(
            MEANINGS["unreliable_annotators"],
            votes,
            p_agreement,
            asked.agreement.power(AGREEMENT_TOLERATED, int(np.isfinite(p_agreement).sum())),
        ),
    ]


def _finding(meaning: Meaning, votes: LabelVotes, p_T: Array, power: float | None) -> Finding:
    if not votes.names:
        return unknown(meaning, "the votes name no annotators", n=votes.count)
    tested = np.isfinite(p_T)
    if not tested.any():
        reason = f"no annotator has {FEWEST_VOTES} votes over {FEWEST_PROMPTS} prompts that can be set beside others'"
        return unknown(meaning, reason, n=votes.count)
    adjusted = np.ones(p_T.size)
    adjusted[tested] = holm(p_T[tested])
    named = sorted({votes.names[index % len(votes.names)] for index in np.flatnonzero(adjusted <= FAMILY_ALPHA)})
    detail = {
        "named": named[:SHOWN],
        "annotators": len(votes.names),
        "tested": int(np.unique(np.flatnonzero(tested) % len(votes.names)).size),
    }
    counted = Unknown("it counts those named, whose own figures stand in the table of annotators")
    alarm = Alarm(p=float(adjusted.min()), power=power)
    return measured(meaning, len(named), n=votes.count, interval=counted, detail=detail, alarm=alarm)


def annotator_rows(
    votes: LabelVotes, asked: Asked, readers: Readers, findings: Sequence[Finding]
) -> list[AnnotatorRow]:
    """The annotators with most votes, what each did beside what others did on the same pairs."""
    named = {finding.name: set(finding.detail.get("named", ())) for finding in findings}
    count_A = np.bincount(votes.rater_V, minlength=len(votes.names))[: len(votes.names)]
    # Over the places where the right answer stood, as often as it stood there.
    right_A = readers.rate_RW3[:, :, 0] / np.maximum(readers.rate_RW3[:, :, :2].sum(axis=2), 1e-12)
    known = np.isin(votes.place_V, (0, 1)).mean() > 0.5
    reliable_A = right_A[:, :2].mean(axis=1) if known else right_A[:, 2]
    rows: list[AnnotatorRow] = []
    for index in np.argsort(-count_A, kind="stable")[:SHOWN]:
        name = votes.names[int(index)]
        rows.append(
            {
                "annotator": name,
                "votes": int(count_A[index]),
                "reliability": float(reliable_A[index]),
                "agreement": _known(asked.agreement.own_A[index]),
                "agreement_of_others": _known(asked.agreement.beside_A[index]),
                "left": _known(asked.side.own_A[index]),
                "left_of_others": _known(asked.side.beside_A[index]),
                "longer": _known(asked.length.own_A[index]),
                "longer_of_others": _known(asked.length.beside_A[index]),
                "named": [title for title in named if name in named[title]],
            }
        )
    return rows


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
