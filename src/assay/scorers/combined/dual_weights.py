"""What breaking a constraint costs: the dual weights of "the best answer by one objective, the others above bounds".

On a validation slice, the primal problem picks an answer a prompt, or a mix of them, p_GA >= 0 with sum 1:
  maximise the mean of lead   subject to   mean of objective k >= bound_k   for every other k.
It is a linear program, solved exactly; its dual weights are what the Lagrangian lead + sum of dual x (k - bound_k) has
to charge so that picking its best answer is that optimum. Prompts of which no answer reaches all bounds are set aside,
since no choice among their answers can keep them. Knows arrays. Letters: A answers, G prompts, K objectives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.stats.intervals import Array, Codes, Interval, cluster_wilson
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class DualWeights:
    """duals: one an objective, 0 for the lead. prompts: of the slice; kept: those with an answer that reaches all.

    met: share of answers that reach all bounds, with its interval. given_up: of the lead's mean over the prompts kept,
    in standard deviations, against taking its best answer regardless.
    """

    duals: tuple[float, ...]
    prompts: int
    kept: int
    met: float
    met_interval: Interval | None
    given_up: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsatisfied:
    """No answer of the slice reaches all bounds. alone: for each constraint, the prompts where an answer reaches it."""

    prompts: int
    alone: dict[int, int]

    def told(self, names: Sequence[str]) -> list[str]:
        never = [names[k] for k, count in self.alone.items() if not count]
        if never:
            return [
                f"No answer of the {self.prompts:,} validation prompts reaches the bound on {one}." for one in never
            ]
        each = ", ".join(f"{names[k]} on {count:,}" for k, count in self.alone.items())
        return [f"No answer of the {self.prompts:,} validation prompts reaches all bounds together (alone: {each})."]


def dual_weights(
    standard_AK: Array, prompt_A: Codes, *, lead: int, bounds: Sequence[float]
) -> DualWeights | Unsatisfied | Unknown:
    """The dual weights on these answers. bounds: -inf for the lead. prompt_A: numbers from 0 of their prompts.

    Unknown where there are no answers, or the program cannot be solved.
    """
    if not len(standard_AK):
        return Unknown("the validation slice holds no answer with a reward by every objective")
    bound_K = np.asarray(bounds, dtype=np.float64)
    reached_AK = standard_AK >= bound_K
    met_A = reached_AK.all(axis=1)
    prompts = int(prompt_A.max()) + 1
    others = [k for k in range(len(bound_K)) if k != lead]
    if not met_A.any():
        alone = {k: len(np.unique(prompt_A[reached_AK[:, k]])) for k in others}
        return Unsatisfied(prompts=prompts, alone=alone)
    kept_A = np.isin(prompt_A, np.unique(prompt_A[met_A]))
    values, codes = standard_AK[kept_A], np.unique(prompt_A[kept_A], return_inverse=True)[1]
    solved = _solved(values, codes, lead=lead, others=others, bounds=bound_K)
    if solved is None:
        return Unknown("the linear program of the dual weights has no solution that settles")
    value, prices = solved
    groups = int(codes.max()) + 1
    best_G = np.full(groups, -np.inf)
    np.maximum.at(best_G, codes, values[:, lead])
    duals = np.zeros(len(bound_K))
    duals[others] = prices
    met = cluster_wilson(met_A.astype(np.float64), prompt_A)
    return DualWeights(
        duals=tuple(duals.tolist()),
        prompts=prompts,
        kept=groups,
        met=float(met_A.mean()),
        met_interval=None if isinstance(met, Unknown) else met,
        given_up=max(0.0, float(best_G.mean()) - value),
    )


def _solved(
    values: Array, codes: Codes, *, lead: int, others: Sequence[int], bounds: Array
) -> tuple[float, Array] | None:
    """The optimum's mean of lead, and the price of each other objective's bound."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    groups, answers = int(codes.max()) + 1, len(codes)
    one_a_prompt = csr_array((np.ones(answers), (codes, np.arange(answers))), shape=(groups, answers))
    # linprog minimises, and takes constraints as "at most": both signs are turned.
    found = linprog(  # type: ignore[call-overload]  # its stubs know no sparse matrices
        -values[:, lead] / groups,
        A_ub=-values[:, others].T / groups,
        b_ub=-bounds[list(others)],
        A_eq=one_a_prompt,
        b_eq=np.ones(groups),
        bounds=(0, None),
        method="highs",
    )
    if found.status != 0:
        return None
    # A marginal says how the minimum moves as the right side grows: never up, where there is more room.
    return -float(found.fun), np.maximum(0.0, -np.asarray(found.ineqlin.marginals))


def lagrangian_dual(standard_AK: Array, prompt_A: Codes, duals: Sequence[float], *, lead: int, bounds: Array) -> float:
    """The dual function: mean over prompts of the best answer's Lagrangian. The dual weights are where it is least."""
    duals_K = np.asarray(duals, dtype=np.float64)
    room_AK = standard_AK - np.where(np.isfinite(bounds), bounds, 0.0)
    value_A = standard_AK[:, lead] + room_AK @ np.where(np.arange(len(duals_K)) == lead, 0.0, duals_K)
    best_G = np.full(int(prompt_A.max()) + 1, -np.inf)
    np.maximum.at(best_G, prompt_A, value_A)
    return float(best_G.mean())
