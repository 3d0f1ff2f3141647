"""Who reads well: what is right about each item and how far each rater can be trusted, from votes alone.

Dawid and Skene's model for two answers: one of the two is right, each as likely before anyone votes, and a rater picks
the right one, the wrong one or calls it a tie at rates of his own, which may depend on where the right one stood.
Expectation and maximisation in turn; knows items, raters and places, and no text and no label.
Shapes: V votes, I items, R raters, W places, 3 outcomes (right, wrong, tie).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from assay.stats.intervals import Array, Codes

FIRST, SECOND, TIE = 0, 1, 2  # what a vote says
LEFT, RIGHT, UNKNOWN_PLACE = 0, 1, 2  # where the item's first answer stood for this vote
ROUNDS = 300
SETTLED = 1e-6  # of any item's chance
PRIOR = 4.0  # votes' worth of the habits of all raters that each rater starts with


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """first_I: chance that the item's first answer is the right one. rate_RW3: of (right, wrong, tie) votes by each
    rater, where the right answer stood left, right, or it is not known where. pooled_W3: the same over all raters.
    votes_R: how many votes each gave. rounds: until settled; ROUNDS where it did not.
    """

    first_I: Array
    rate_RW3: Array
    pooled_W3: Array
    votes_R: Codes
    rounds: int

    def chance_from(self, item_V: Codes, rater_V: Codes, says_V: Codes, place_V: Codes, items: int) -> Array:
        """Chance that each item's first answer is right, by these votes and the raters' rates, shape (items,)."""
        return np.asarray(special.expit(_evidence(self.rate_RW3, item_V, (rater_V, says_V, place_V), items)))


def dawid_skene(
    item_V: npt.ArrayLike, rater_V: npt.ArrayLike, says_V: npt.ArrayLike, place_V: npt.ArrayLike | None = None
) -> Readers:
    """The most plausible rights and rates, starting from plain majorities.

    item_V, rater_V: numbers from 0. says_V: 0 the first answer, 1 the second, 2 a tie. place_V: 0 where the first
    answer stood left, 1 right, 2 unknown (as where not given). Which answer is called first changes nothing. Each
    rater starts with 4 votes' worth of everybody's habits, so that two votes make nobody perfect.
    Raises ValueError without votes. Source: Dawid & Skene 1979.

    >>> found = dawid_skene([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], [0, 0, 1, 1, 1, 1])
    >>> bool(found.first_I[0] > 0.5), bool(found.first_I[1] < 0.5)
    (True, True)
    """
    item, rater, says = (np.asarray(given, dtype=np.intp) for given in (item_V, rater_V, says_V))
    place = np.full(item.size, UNKNOWN_PLACE) if place_V is None else np.asarray(place_V, dtype=np.intp)
    if not item.size:
        raise ValueError("dawid_skene takes at least one vote")
    items, raters = int(item.max()) + 1, int(rater.max()) + 1
    votes = rater, says, place
    lean = np.bincount(item, weights=np.where(says == FIRST, 1.0, np.where(says == SECOND, -1.0, 0.0)), minlength=items)
    first_I = special.expit(lean)
    rounds, moved = 0, 1.0
    while rounds < ROUNDS and moved >= SETTLED:
        rate_RW3, pooled_W3 = _rates(first_I, item, votes, raters)
        following = special.expit(_evidence(rate_RW3, item, votes, items))
        moved = float(np.abs(following - first_I).max())
        first_I, rounds = following, rounds + 1
    return Readers(
        first_I=first_I,
        rate_RW3=rate_RW3,
        pooled_W3=pooled_W3,
        votes_R=np.bincount(rater, minlength=raters),
        rounds=rounds,
    )


def known_rates(rater_V: npt.ArrayLike, says_V: npt.ArrayLike, raters: int) -> Array:
    """Rates of (right, wrong, tie) of each rater on items whose right answer is known, shape (raters, 3).

    says_V: 0 the right answer, 1 the wrong one, 2 a tie. Each rater starts with 4 votes' worth of everybody's habits,
    as in `dawid_skene`, which has to find out what is right.

    >>> known_rates([0] * 96 + [1] * 4, [0] * 90 + [1] * 6 + [0] * 4, 2).round(2).tolist()
    [[0.94, 0.06, 0.0], [0.97, 0.03, 0.0]]
    """
    rater, says = np.asarray(rater_V, dtype=np.intp), np.asarray(says_V, dtype=np.intp)
    place = np.full(rater.size, UNKNOWN_PLACE)
    rate_RW3, _ = _rates(np.ones(rater.size), np.arange(rater.size), (rater, says, place), raters)
    return np.asarray(rate_RW3[:, UNKNOWN_PLACE])


def _rates(first_I: Array, item: Codes, votes: tuple[Codes, Codes, Codes], raters: int) -> tuple[Array, Array]:
    """Rates of each rater, (R, W, 3), and of all, (W, 3), from how likely each answer is the right one."""
    rater, says, place = votes
    cells = np.zeros(raters * 9)
    for right_is, weight in ((FIRST, first_I[item]), (SECOND, 1 - first_I[item])):
        outcome = np.where(says == TIE, 2, np.where(says == right_is, 0, 1))
        # The place is that of the right answer: of the first where that is right, else the other side.
        stood = place if right_is == FIRST else np.where(place == UNKNOWN_PLACE, UNKNOWN_PLACE, 1 - place)
        cells += np.bincount((rater * 3 + stood) * 3 + outcome, weights=weight, minlength=cells.size)
    count_RW3 = cells.reshape(raters, 3, 3)
    # A hundredth of a vote for every outcome, so that a rate of 0 never makes an item certain.
    pooled_W3 = count_RW3.sum(axis=0) + 0.01
    pooled_W3 /= pooled_W3.sum(axis=1, keepdims=True)
    rate = count_RW3 + PRIOR * pooled_W3
    return rate / rate.sum(axis=2, keepdims=True), pooled_W3


def _evidence(rate_RW3: Array, item: Codes, votes: tuple[Codes, Codes, Codes], items: int) -> Array:
    """Log odds that the first answer of each item is right, shape (items,)."""
    rater, says, place = votes
    other = np.where(place == UNKNOWN_PLACE, UNKNOWN_PLACE, 1 - place)
    log_RW3 = np.log(rate_RW3)
    if_first = log_RW3[rater, place, np.where(says == TIE, 2, np.where(says == FIRST, 0, 1))]
    if_second = log_RW3[rater, other, np.where(says == TIE, 2, np.where(says == SECOND, 0, 1))]
    return np.asarray(np.bincount(item, weights=if_first - if_second, minlength=items))
