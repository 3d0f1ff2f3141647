"""Which pairs to judge next: where models disagree, and where a run's gate left a category undecided. Pure.

K models, N pairs: margin_KN is reward of answer a - reward of answer b. Knows margins and groups; knows no file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from assay.errors import InputError
from assay.records import Text

F64 = NDArray[np.float64]
UNDECIDED_SHARE = 0.5  # of the proposals, where some category is undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A pair too few have judged. margins: one a model, above 0 for answer a. group: shared by prompts alike."""

    id: str
    prompt: Text
    answer_a: Text
    answer_b: Text
    group: str
    margins: tuple[float, ...]
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A question worth a judgement, and why. disagreement: in nats, 0 to log 2."""

    question: Question
    disagreement: float
    reason: str


def disagreement(margin_KN: F64) -> F64:
    """What one judgement would tell about which model is right, in nats, shape (N,), in [0, log 2].

    The mutual information of label and model: H(mean p) - mean H(p), p = sigmoid(margin). Models that are each unsure
    do not disagree; models that are each sure of something else do. Each model's margins are first brought to the root
    mean square the models have in the median, so that a loud one counts as one. Source: Houlsby et al. 2011 (BALD).
    """
    if margin_KN.ndim != 2 or not margin_KN.size:
        raise InputError(f"margins of shape {margin_KN.shape}; expected one row a model and one column a pair.")
    rms_K1 = np.sqrt(np.mean(margin_KN**2, axis=1, keepdims=True))
    loud = rms_K1[rms_K1 > 0]
    if not loud.size:
        return np.zeros(margin_KN.shape[1])
    p_KN = expit(margin_KN * np.where(rms_K1 > 0, np.median(loud) / np.where(rms_K1 > 0, rms_K1, 1.0), 1.0))
    # By Jensen's inequality it is never below 0; rounding may leave it a hair below.
    nats_N: F64 = np.maximum(entropy(p_KN.mean(axis=0)) - entropy(p_KN).mean(axis=0), 0.0)
    return nats_N


def entropy(p: F64) -> F64:
    """Entropy of a yes with probability p, in nats."""
    found: F64 = -np.asarray(xlogy(p, p) + xlogy(1 - p, 1 - p), dtype=np.float64)
    return found


def propose(questions: Sequence[Question], *, count: int, undecided: Mapping[str, str]) -> list[Proposal]:
    """At most `count` questions, one a prompt group: half of undecided categories, the rest where models disagree.

    undecided: category -> why, in words. Within each, more disagreement first; of questions on which the models agree
    equally much, the one nearest to even. Fewer come back where there are fewer groups. The order is that of the input.
    Raises InputError for a margin that is not finite, or questions of different numbers of models.
    """
    if not questions:
        return []
    doubts = margin_doubts(questions)
    taken = pick(questions, sorted(doubts, key=lambda n: doubts[n].order), count=count, undecided=undecided)
    return [
        Proposal(question=questions[n], disagreement=doubts[n].nats, reason=taken[n] + doubts[n].text)
        for n in sorted(taken)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """How open a question is. order: less is asked first. nats: the models' disagreement, 0 where there are none."""

    order: tuple[float, float, str]
    nats: float
    text: str


def margin_doubts(questions: Sequence[Question]) -> dict[int, Doubt]:
    """By place: more disagreement between the models first, then nearer to even. Raises InputError as `propose`."""
    sizes = {len(question.margins) for question in questions}
    margin_KN = np.array([question.margins for question in questions], dtype=float).T if len(sizes) == 1 else None
    if margin_KN is None or not np.isfinite(margin_KN).all():
        raise InputError("Every pair needs one finite margin from each model.")
    nats_N = disagreement(margin_KN)
    doubt_N = entropy(expit(np.abs(margin_KN.mean(axis=0))))
    return {
        n: Doubt(
            order=(-float(nats_N[n]), -float(doubt_N[n]), question.id),
            nats=float(nats_N[n]),
            text=_margins_text(margin_KN[:, n], float(nats_N[n])),
        )
        for n, question in enumerate(questions)
    }


def pick(
    questions: Sequence[Question],
    ranked: Sequence[int],
    *,
    count: int,
    undecided: Mapping[str, str],
    used: Collection[str] = (),
    weights: Mapping[str, float] | None = None,
) -> dict[int, str]:
    """At most `count` places and why each, as `ranked`, half of them of undecided categories.

    used: prompt groups that are not asked again. weights: by which the categories share their half; None: evenly. One
    place a group.
    """
    reserved = [category for category in undecided if any(q.category == category for q in questions)]
    taken: dict[int, str] = {}
    groups = set(used)

    def take(numbers: Sequence[int], limit: int, why: str) -> None:
        for number in numbers:
            if limit <= 0 or len(taken) >= count:
                return
            if number not in taken and questions[number].group not in groups:
                taken[number] = why
                groups.add(questions[number].group)
                limit -= 1

    for place, category in enumerate(reserved):
        left = round(count * UNDECIDED_SHARE) - len(taken)
        # What an earlier category could not fill goes to those after it.
        rest = [1.0 if weights is None else weights[name] for name in reserved[place:]]
        share = math.ceil(round(left * rest[0] / sum(rest), 9))
        own = [n for n in ranked if questions[n].category == category]
        take(own, share, f"category {category} is undecided: {undecided[category]}; ")
    take(ranked, count, "")
    return taken


def _margins_text(margin_K: F64, nats: float) -> str:
    models, for_a = len(margin_K), int((margin_K > 0).sum())
    if models == 1:
        return f"one model, margin {margin_K[0]:+.2f}"
    split = f"{for_a} of {models} models prefer answer a"
    return f"{split}, margins {margin_K.min():+.2f} to {margin_K.max():+.2f} (disagreement {nats:.3f} nats)"
