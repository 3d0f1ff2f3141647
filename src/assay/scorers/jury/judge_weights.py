"""How far each judge can be trusted, from labelled pairs that are named for it: weights of the rule `reliability`.

Dawid and Skene's model with the labels as what is right: a judge's weight is the log of how often it is right over how
often it is wrong. Ties, flips and what cannot be read say nothing either way. Judges are taken to err by themselves: of
those that err alike, each is believed as if it were alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.errors import InputError
from assay.scorers.judge.both_orders import Compared
from assay.stats.dawid_skene import FIRST, SECOND, TIE, known_rates

FEWEST = 30  # pairs with a definite label; through fewer a weight is luck


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """right, wrong, neither: rates of a judge on `pairs` labelled pairs it gave a verdict on. weight: in nats."""

    right: float
    wrong: float
    neither: float
    pairs: int

    @property
    def weight(self) -> float:
        return math.log(self.right / self.wrong)


def reliabilities(by_judge: Mapping[str, Sequence[Compared]]) -> dict[str, Reliability]:
    """by_judge: what each says of the answer people preferred, in every pair.

    Rates are drawn towards everybody's by four votes' worth, so that nobody is perfect. Raises InputError for fewer
    than 30 pairs on which anybody gave a verdict, or a judge that gave none.
    """
    names = list(by_judge)
    pairs, raters, says = [], [], []
    for rater, name in enumerate(names):
        for pair, one in enumerate(by_judge[name]):
            if (strength := one.strength) is not None:
                pairs.append(pair)
                raters.append(rater)
                says.append(FIRST if strength > 0 else SECOND if strength < 0 else TIE)
    counts = {name: raters.count(rater) for rater, name in enumerate(names)}
    if len(set(pairs)) < FEWEST:
        raise InputError(
            f"jury: {len(set(pairs))} pairs of weights_on have a label and a verdict: too few for weights (at least "
            f"{FEWEST}). Give more, or take the rule majority."
        )
    if silent := [name for name, count in counts.items() if not count]:
        reason = next((one.why for one in by_judge[silent[0]] if one.why), "it gave none")
        raise InputError(f"jury: {silent[0]} gave no verdict on weights_on: {reason}.")
    rates = known_rates(raters, says, len(names))
    return {
        name: Reliability(right=float(right), wrong=float(wrong), neither=float(neither), pairs=counts[name])
        for name, (right, wrong, neither) in zip(names, rates, strict=True)
    }
