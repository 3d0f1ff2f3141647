"""Battles of models as people and as a reward decide them -> how alike the two rank the models.

Models are rated by Bradley-Terry over the battles, and again over resampled ones for their intervals. Knows battles of
numbered models; knows no text and no suite.
Shapes: N battles, M models, R resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from assay.stats.draws import stream
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown
from assay.suites.suite import Described

RESAMPLES = 100
ROUNDS = 200  # of the fixed-point iteration; ratings of twenty models stand still after some fifty
PRIOR = 0.1  # battles added to each pair of models, drawn: one that never won would have no rating
FEW_MODELS = 3
SAME = 1e-9  # ratings closer than this do not differ
Places = npt.NDArray[np.intp]


class Ranked(Protocol):
    """What is read of scipy's result."""

    @property
    def statistic(self) -> float: ...


def like_people(
    first_N: Sequence[int], second_N: Sequence[int], people_N: npt.ArrayLike, reward_N: npt.ArrayLike
) -> list[Described]:
    """How alike people and a reward rank models over the same battles.

    first_N, second_N: which models met, numbered from 0. people_N, reward_N: what the first won: 1, 1/2 or 0.
    Spearman and Kendall: of the ratings. Row-wise Pearson: of a model's win rates against each other model, mean over
    models. Separability: share of pairs of models whose 95% intervals by the reward do not overlap. Agreement: over the
    pairs that people tell apart, 1 where the reward does alike, -1 the other way, 0 where it does not. Brier: over the
    same pairs, squared difference of the share of resamples in which the reward ranks the one above the other and what
    people say. Sources: Frick et al. 2024 (2410.14872), Li et al. 2024 (2406.11939).
    """
    first, second = np.asarray(first_N, dtype=np.intp), np.asarray(second_N, dtype=np.intp)
    models = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
    if models < FEW_MODELS:
        why = Unknown(f"{models} models in the battles; ranks need at least {FEW_MODELS}")
        return [Described(name=name, value=why, n=models, why=reason) for name, reason in WHY.items()]
    people, reward = np.asarray(people_N, dtype=np.float64), np.asarray(reward_N, dtype=np.float64)
    weights_RN = _resampled(first.size)
    people_RM, reward_RM = (_ratings(first, second, won, weights_RN, models) for won in (people, reward))
    above = np.triu_indices(models, 1)
    told_people, told_reward = (_told_apart(rated[1:])[above] for rated in (people_RM, reward_RM))
    says = np.sign(people_RM[0][:, None] - people_RM[0][None, :])[above]
    alike = np.sign(reward_RM[0][:, None] - reward_RM[0][None, :])[above] == says
    share = (reward_RM[1:, :, None] > reward_RM[1:, None, :]).mean(axis=0)[above]
    none = Unknown("people tell no two models apart on these battles")
    known = bool(told_people.any())
    agreement = np.where(told_reward, np.where(alike, 1.0, -1.0), 0.0)
    brier = np.square(share - (says > 0))
    values: dict[str, float | Unknown] = {
        "Spearman of models": _correlation(scipy_stats.spearmanr, people_RM[0], reward_RM[0]),
        "Kendall of models": _correlation(scipy_stats.kendalltau, people_RM[0], reward_RM[0]),
        "row-wise Pearson": _row_wise(first, second, people, reward, models),
        "separability": float(told_reward.mean()),
        "confidence agreement": float(agreement[told_people].mean()) if known else none,
        "Brier of model pairs": float(brier[told_people].mean()) if known else none,
    }
    return [Described(name=name, value=value, n=models, why=WHY[name]) for name, value in values.items()]


WHY = {
    "Spearman of models": "rank correlation of ratings by people and by the reward, over models",
    "Kendall of models": "the same by Kendall's tau",
    "row-wise Pearson": "mean over models of the correlation of win rates against each other",
    "separability": "share of pairs of models that the reward tells apart, by 95% intervals",
    "confidence agreement": "over pairs that people tell apart: 1 alike, -1 the other way, 0 not told apart",
    "Brier of model pairs": "over the same pairs, of the reward's chance that the one is better; lower is better",
}


def _resampled(battles: int) -> Array:
    """How often each battle counts: all once, then resamples; shape (1 + R, N)."""
    generator = stream(0, "model ranks")
    drawn = generator.multinomial(battles, np.full(battles, 1 / battles), size=RESAMPLES)
    return np.vstack([np.ones(battles), drawn])


def _ratings(
    first: npt.NDArray[np.intp], second: npt.NDArray[np.intp], won: Array, weights_RN: Array, models: int
) -> Array:
    """Log-strengths under Bradley-Terry with mean 0, shape (1 + R, M). Source: Hunter 2004, the MM iteration."""
    wins = np.zeros((weights_RN.shape[0], models, models))
    for row, weights in enumerate(weights_RN):  # R rows of a bincount, and no loop over battles
        flat = np.bincount(first * models + second, weights=weights * won, minlength=models**2)
        lost = np.bincount(second * models + first, weights=weights * (1 - won), minlength=models**2)
        wins[row] = (flat + lost).reshape(models, models)
    wins += PRIOR / 2 * (1 - np.eye(models))
    met, strength = wins + wins.transpose(0, 2, 1), np.ones((wins.shape[0], models))
    for _ in range(ROUNDS):
        strength = wins.sum(axis=2) / (met / (strength[:, :, None] + strength[:, None, :])).sum(axis=2)
        strength /= np.exp(np.log(strength).mean(axis=1, keepdims=True))
    return np.log(strength)


def _told_apart(rated_RM: Array) -> npt.NDArray[np.bool_]:
    """Whether the 95% intervals of two models do not overlap; shape (M, M)."""
    low, high = np.quantile(rated_RM, [0.025, 0.975], axis=0)
    return np.asarray((low[:, None] > high[None, :]) | (low[None, :] > high[:, None]))


def _row_wise(first: Places, second: Places, people: Array, reward: Array, models: int) -> float | Unknown:
    here = np.concatenate([first * models + second, second * models + first])
    met = np.bincount(here, minlength=models**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [
            np.bincount(here, weights=np.concatenate([won, 1 - won]), minlength=models**2) / met
            for won in (people, reward)
        ]
    found = []
    for row in range(models):
        here_M = slice(row * models, (row + 1) * models)
        both = met[here_M] > 0
        pair = [rate[here_M][both] for rate in rates]
        if both.sum() >= FEW_MODELS and all(np.ptp(one) > 0 for one in pair):
            found.append(float(np.corrcoef(pair[0], pair[1])[0, 1]))
    return float(np.mean(found)) if found else Unknown("no model met three others with differing results")


def _correlation(of: Callable[[Array, Array], Ranked], people_M: Array, reward_M: Array) -> float | Unknown:
    # Ratings that differ by rounding only are one rating: a reward that calls every battle a tie ranks nobody.
    if min(np.ptp(people_M), np.ptp(reward_M)) < SAME:
        return Unknown("one of the two rates all models alike")
    return float(of(people_M, reward_M).statistic)
