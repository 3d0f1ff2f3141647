"""Trade-off curves: accuracy on each objective's pairs as one weight, tolerance or threshold moves, all else held.

Weights move as shares: the objective has the share, the others keep theirs among themselves. Thresholds take their
bound with them, and the dual weights are found anew at each. Knows standardised rewards; knows no scorer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.scorers.combined.combination_file import Combination, CurvePoint, MeasuredObjective, ObjectivePart, TradeOff
from assay.scorers.combined.combining_rules import bound_of, together
from assay.scorers.combined.dual_weights import DualWeights, dual_weights
from assay.scorers.combined.objective_rewards import ObjectiveRewards
from assay.stats.intervals import Array, Codes, Interval, cluster_wilson
from assay.stats.unknown import Unknown

SHARES = tuple(k / 20 for k in range(21))
TOLERANCES = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
THRESHOLDS = tuple(k / 4 for k in range(-8, 9))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMargins:
    """One objective's pairs: both answers' standardised rewards, (N, K), and the pairs' prompts, (N,)."""

    chosen: Array
    rejected: Array
    prompts: Codes


def labelled_margins(rewards: ObjectiveRewards) -> dict[str, LabelledMargins]:
    """The pairs of each objective with a winner; ties say nothing of accuracy."""
    found = {}
    for name in rewards.names:
        places = [n for n in rewards.places("scale", name) if rewards.used[n].pair.label == "chosen"]
        found[name] = LabelledMargins(
            chosen=rewards.chosen[places], rejected=rewards.rejected[places], prompts=rewards.prompts(places)
        )
    return found


def right_N(chosen_N: Array, rejected_N: Array) -> Array:
    """1 where the chosen answer has more, a half where both have the same, (N,)."""
    return np.asarray((chosen_N > rejected_N) + 0.5 * (chosen_N == rejected_N), dtype=np.float64)


def accuracies(labelled: Mapping[str, LabelledMargins], combination: Combination) -> dict[str, float]:
    """Share of each objective's pairs that the combination orders as people did."""
    return {
        name: float(right_N(together(one.chosen, combination), together(one.rejected, combination)).mean())
        for name, one in labelled.items()
    }


def measured(labelled: Mapping[str, LabelledMargins], combination: Combination) -> list[MeasuredObjective]:
    """Accuracy on each objective's pairs, of its own scorer and of the combination, with intervals by prompt."""
    rows = []
    for k, (name, one) in enumerate(labelled.items()):
        alone = right_N(one.chosen[:, k], one.rejected[:, k])
        combined = right_N(together(one.chosen, combination), together(one.rejected, combination))
        rows.append(
            MeasuredObjective(
                objective=name,
                pairs=len(alone),
                alone=float(alone.mean()),
                alone_interval=_ends(cluster_wilson(alone, one.prompts)),
                combined=float(combined.mean()),
                combined_interval=_ends(cluster_wilson(combined, one.prompts)),
            )
        )
    return rows


def _ends(found: Interval | Unknown) -> tuple[float, float] | None:
    return None if isinstance(found, Unknown) else (found.low, found.high)


def weight_curves(labelled: Mapping[str, LabelledMargins], combination: Combination) -> list[TradeOff]:
    """One curve an objective; with two objectives one, since the other is its mirror."""
    weights = np.array([max(one.weight or 0.0, 0.0) for one in combination.objectives])
    curves = []
    for k in range(1 if len(weights) == 2 else 0, len(weights)):
        points = []
        for share in SHARES:
            moved = _with(combination, [{"weight": float(w)} for w in shared_out(weights, k, share)])
            points.append(CurvePoint(at=share, accuracy=accuracies(labelled, moved)))
        stands = float(weights[k] / weights.sum()) if weights.sum() > 0 else None
        curves.append(
            TradeOff(objective=combination.objectives[k].name, moved="weight", stands_at=stands, points=points)
        )
    return curves


def shared_out(weights: Array, k: int, share: float) -> Array:
    """Weights of sum 1 in which objective k has `share`, and the others the rest in the proportions they had."""
    others = np.delete(weights, k)
    rest = others / others.sum() if others.sum() > 0 else np.full(others.size, 1 / others.size)
    return np.insert(rest * (1 - share), k, share)


def tolerance_curves(labelled: Mapping[str, LabelledMargins], combination: Combination) -> list[TradeOff]:
    """One curve for each objective that has a tolerance."""
    curves = []
    for k, part in enumerate(combination.objectives[:-1]):
        points = [
            CurvePoint(at=at, accuracy=accuracies(labelled, _one_with(combination, k, {"tolerance": at})))
            for at in TOLERANCES
        ]
        curves.append(TradeOff(objective=part.name, moved="tolerance", stands_at=part.tolerance, points=points))
    return curves


def threshold_curves(
    labelled: Mapping[str, LabelledMargins], combination: Combination, validation_AK: Array, prompt_A: Codes
) -> list[TradeOff]:
    """One curve for each constraint, with the share of validation answers that break none; duals found anew.

    A threshold that no answer of the slice reaches has no point.
    """
    names = [one.name for one in combination.objectives]
    lead = names.index(combination.maximise or "")
    curves = []
    for k, part in enumerate(combination.objectives):
        if k == lead or part.slope is None:
            continue
        points = []
        for at in THRESHOLDS:
            bound = bound_of(at, confidence=combination.confidence or 0.5, slope=part.slope)
            bounds = bounds_of(combination.objectives, lead) | {k: bound}
            found = dual_weights(validation_AK, prompt_A, lead=lead, bounds=[bounds[n] for n in range(len(names))])
            if isinstance(found, DualWeights):
                changes: list[dict[str, float]] = [{} if n == lead else {"dual": d} for n, d in enumerate(found.duals)]
                changes[k] |= {"threshold": at, "bound": bound}
                accuracy = accuracies(labelled, _with(combination, changes))
                points.append(CurvePoint(at=at, accuracy=accuracy, met=found.met))
        curves.append(TradeOff(objective=part.name, moved="threshold", stands_at=part.threshold, points=points))
    return curves


def bounds_of(parts: Sequence[ObjectivePart], lead: int) -> dict[int, float]:
    return {k: -math.inf if k == lead or one.bound is None else one.bound for k, one in enumerate(parts)}


def _one_with(combination: Combination, k: int, change: dict[str, float]) -> Combination:
    return _with(combination, [change if n == k else {} for n in range(len(combination.objectives))])


def _with(combination: Combination, changes: Sequence[dict[str, float]]) -> Combination:
    parts = [one.model_copy(update=change) for one, change in zip(combination.objectives, changes, strict=True)]
    return combination.model_copy(update={"objectives": parts})
