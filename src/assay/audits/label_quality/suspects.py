"""Labels that look wrong, the likeliest first: by the reward's margins and, where there are some, by the votes.

Three witnesses, taken to be independent given which answer is right: the margin, through the slope at which labels
that are not turned follow it; the votes, each weighed by who gave it; and the label, wrong at the estimated rate,
unless the votes made it. Shapes: N pairs. Knows odds and pairs; judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.artifacts.audit_labels_table import SuspectRow
from assay.audits.label_quality.label_votes import LabelVotes
from assay.audits.scores_table import Aligned
from assay.records import Pair, to_json
from assay.stats.dawid_skene import FIRST, SECOND
from assay.stats.intervals import Array
from assay.stats.label_noise import TurnedShare
from assay.stats.unknown import Unknown

ARTIFACT = "suspected_labels.jsonl"
SHOWN = 10
FEWEST = 20  # rows for review even where hardly any label is expected to be wrong
LEAST_TURNED = 0.005  # taken where the estimate is 0, so that a ranking remains
VOTES_MADE_IT = 0.995  # of the labels that are the majority of their votes, from where the votes made them


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """wrong_N: the chance that each label is wrong. order: pairs for review, likeliest first. expected: their sum."""

    wrong_N: Array
    order: tuple[int, ...]
    expected: float


def suspects(
    unit_N: Array, turned: TurnedShare | Unknown, right_N: Array | None, votes: LabelVotes
) -> Suspects | Unknown:
    """Who is suspected. unit_N: margin as `turned` was fitted to it, NaN where there is none. right_N: chance by the
    votes that the label is right; None without votes."""
    if isinstance(turned, Unknown) and right_N is None:
        return Unknown(f"neither margins nor votes tell wrong labels: {turned.reason}")
    odds = np.zeros(votes.pairs)  # log odds that the label is right
    share = LEAST_TURNED
    if not isinstance(turned, Unknown) and turned.slope is not None:
        odds += np.where(np.isfinite(unit_N), turned.slope * np.nan_to_num(unit_N), 0.0)
        share = max(turned.value, LEAST_TURNED)
    from_votes = np.zeros(votes.pairs)
    made = np.zeros(votes.pairs, dtype=bool)
    if right_N is not None:
        voted = np.zeros(votes.pairs, dtype=bool)
        voted[votes.pair_V] = True
        from_votes = np.where(voted, special.logit(np.clip(right_N, 1e-6, 1 - 1e-6)), 0.0)
        majority = votes.for_side(FIRST) > votes.for_side(SECOND)
        # Votes that made the label are already counted as votes; it is no witness of its own.
        made = voted & bool(majority[voted].mean() >= VOTES_MADE_IT)
    odds += from_votes + np.where(made, 0.0, special.logit(1 - share))
    wrong = np.asarray(special.expit(-odds))
    expected = float(wrong.sum())
    many = min(max(int(np.ceil(expected)), FEWEST), votes.pairs)
    first = [int(index) for index in np.argsort(-wrong, kind="stable")[:many]]
    # Only where some witness speaks against the label: a margin that is merely narrow accuses nobody.
    against = (np.nan_to_num(unit_N, nan=0.0) < 0) | (from_votes < 0)
    return Suspects(wrong_N=wrong, order=tuple(i for i in first if against[i]), expected=expected)


def suspect_rows(found: Suspects, aligned: Aligned, votes: LabelVotes) -> list[SuspectRow]:
    """The suspected labels as the table shows them."""
    votes_for, votes_against = votes.for_side(FIRST), votes.for_side(SECOND)
    margin = np.where(aligned.finite.all(axis=0), aligned.margin.mean(axis=0), np.nan)
    return [
        {
            "pair_id": aligned.pairs[index].id,
            "category": aligned.pairs[index].category,
            "wrong": float(found.wrong_N[index]),
            "margin": float(margin[index]) if np.isfinite(margin[index]) else None,
            "votes_for": int(votes_for[index]),
            "votes_against": int(votes_against[index]),
            "where": str(aligned.pairs[index].where),
        }
        for index in found.order
    ]


def for_review(rows: list[SuspectRow], found: Suspects, aligned: Aligned) -> list[dict[str, object]]:
    """The rows of suspected_labels.jsonl: the pair as it is read, so that a study or an editor can take the file."""
    return [{**_pair_row(aligned.pairs[at]), "source": dict(row)} for row, at in zip(rows, found.order, strict=True)]


def _pair_row(pair: Pair) -> dict[str, object]:
    return {
        "id": pair.id,
        "prompt": to_json(pair.prompt),
        "chosen": to_json(pair.chosen),
        "rejected": to_json(pair.rejected),
        "category": pair.category,
    }
