"""Scorers of several objectives and pairs of each -> a Combination: scales, then the rule's own numbers, then curves.

1. Pairs are read and sorted by objective; each objective needs enough of its own.
2. Scales are measured (objective_rewards.py). 3. Weights are stated or fitted to overall preferences; tolerances are
stated; bounds are made of thresholds and confidence, and dual weights are found on a slice the slopes never saw.
4. Accuracy on each objective's pairs, and how it moves (trade_off.py). Knows scorers; opens none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.artifacts.files import sha256_file
from assay.errors import ConfigError, InputError
from assay.records import Pair
from assay.scorers.combined.combination_file import Combination, NamedFile, ObjectivePart, Rule
from assay.scorers.combined.combining_rules import bound_of
from assay.scorers.combined.dual_weights import DualWeights, Unsatisfied, dual_weights
from assay.scorers.combined.objective_rewards import ObjectiveRewards, Use, UsedPair, objective_rewards
from assay.scorers.combined.trade_off import (
    bounds_of,
    labelled_margins,
    measured,
    threshold_curves,
    tolerance_curves,
    weight_curves,
)
from assay.scorers.joint_correction import fold_of
from assay.scorers.protocol import Scorer
from assay.stats.intervals import Array, Codes
from assay.stats.logistic import cluster_covariance, fit_logistic, independent_variance
from assay.stats.unknown import Unknown

FEWEST = 30  # pairs of an objective, and overall preferences a weight: through fewer, a scale or slope is a guess
RIDGE = 1e-4  # keeps a slope finite where margins put every pair right
ONE_SIDED = 1.6449  # standard errors below a slope: its lower bound at 95%


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinePlan:
    """What is asked for. data: files of pairs by objective; under "" a file that holds several. scorers: as named.

    weights: stated; none and `overall` given: fitted. Options of another rule than `rule` are an error.
    """

    rule: Rule
    scorers: Mapping[str, str]
    data: Sequence[tuple[str, str]]
    weights: Mapping[str, float] = field(default_factory=dict)
    overall: str | None = None
    tolerances: Mapping[str, float] = field(default_factory=dict)
    maximise: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None
    validation: str | None = None

    def check(self) -> None:
        """Raises ConfigError for what can be known to be wrong before anything is scored."""
        if len(self.scorers) < 2:
            raise ConfigError("combine: name two objectives at least: helpful=SCORER harmless=SCORER.")
        given = {
            "weights": bool(self.weights or self.overall),
            "lexicographic": bool(self.tolerances),
            "constrained": bool(self.thresholds or self.maximise or self.validation or self.confidence),
        }
        odd = [rule for rule, there in given.items() if there and rule != self.rule]
        if odd:
            raise ConfigError(f"combine: rule {self.rule} reads no options of the rule {odd[0]}. Leave them out.")
        for what, named in {"weight": self.weights, "tolerance": self.tolerances, "threshold": self.thresholds}.items():
            for name in named:
                if name not in self.scorers:
                    raise ConfigError(f"combine: {what} of {name!r}: objectives are {', '.join(self.scorers)}.")
        getattr(self, f"_check_{self.rule}")()

    def _check_weights(self) -> None:
        if bool(self.weights) == (self.overall is not None):
            raise ConfigError("combine: state a weight of every objective, or fit them to a file: --overall FILE.")
        if self.weights:
            if missing := [name for name in self.scorers if name not in self.weights]:
                raise ConfigError(f"combine: no weight of {missing[0]}. State one of every objective.")
            if not all(0 <= one < math.inf for one in self.weights.values()):
                raise ConfigError("combine: a stated weight is a number, 0 or more.")
            if not sum(self.weights.values()) > 0:
                raise ConfigError("combine: the weights sum to nothing, so no answer is better than another.")

    def _check_lexicographic(self) -> None:
        *ordered, _ = self.scorers
        if missing := [name for name in ordered if name not in self.tolerances]:
            raise ConfigError(
                f"combine: no tolerance of {missing[0]}. Every objective but the last states the step within which "
                "answers are equal, in standard deviations: --tolerance helpful=0.5."
            )
        if not all(0 < one < math.inf for one in self.tolerances.values()):
            raise ConfigError("combine: a tolerance is a number above 0.")

    def _check_constrained(self) -> None:
        others = [name for name in self.scorers if name != self.maximise]
        if self.maximise not in self.scorers or set(self.thresholds) != set(others):
            raise ConfigError(
                "combine: name what to maximise, and a threshold of every other objective: --maximise helpful "
                "--threshold harmless=0."
            )
        if self.confidence is None or not 0.5 <= self.confidence < 1:
            raise ConfigError("combine: state the confidence of the constraints, from 0.5 to below 1.")


def combine(plan: CombinePlan, scorers: Mapping[str, Scorer]) -> Combination:
    """The combination that `plan` asks for. scorers: opened, by objective.

    Raises ConfigError for a plan that is none, InputError for an objective with too few pairs. Constraints that nothing
    satisfies, and an objective whose reward does not follow its own pairs, make it `undecided`, with reasons.
    """
    plan.check()
    used, files = used_pairs(plan)
    rewards = objective_rewards({name: scorers[name] for name in plan.scorers}, used)
    counts = {name: len(rewards.places("scale", name)) for name in plan.scorers}
    for name, count in counts.items():
        if count < FEWEST:
            raise InputError(
                f"combine: objective {name} has {count} pairs with rewards: too few for a scale (at least {FEWEST})."
            )
    parts = [
        ObjectivePart(name=name, scorer=text, mean=float(rewards.mean[k]), sd=float(rewards.sd[k]), pairs=counts[name])
        for k, (name, text) in enumerate(plan.scorers.items())
    ]
    notes = [f"{rewards.left_out:,} pairs are left out: one objective gives an answer no reward"] * bool(
        rewards.left_out
    )
    match plan.rule:
        case "weights":
            found = _by_weights(plan, parts, rewards, notes)
        case "lexicographic":
            parts = [one.model_copy(update={"tolerance": plan.tolerances.get(one.name)}) for one in parts]
            found = Combination(rule="lexicographic", objectives=parts, notes=notes)
        case "constrained":
            found = _under_constraints(plan, parts, rewards, notes)
    found = found.model_copy(update={"files": files})
    return Combination.build(found.model_dump()) if found.outcome == "undecided" else _measured(found, rewards)


def used_pairs(plan: CombinePlan) -> tuple[list[UsedPair], list[NamedFile]]:
    """Every pair that is scored, by use, and the files they came from with their hashes."""
    from assay.data import read_pairs
    from assay.data.objectives import by_objective

    used: list[UsedPair] = []
    files: list[NamedFile] = []

    def add(path: str, use: Use, objective: str) -> None:
        pairs = read_pairs(path).pairs
        parted = {objective: pairs} if objective else by_objective(pairs).pairs if use == "scale" else {"": pairs}
        mine = {name: some for name, some in parted.items() if name in plan.scorers or use != "scale"}
        if not mine:
            raise InputError(f"{path}: no pair of {' or '.join(plan.scorers)}; it has {', '.join(parted) or 'none'}.")
        used.extend(UsedPair(pair=one, use=use, objective=name or None) for name, some in mine.items() for one in some)
        files.append(
            NamedFile(
                path=path, sha256=sha256_file(Path(path)), use=use, pairs=sum(len(some) for some in mine.values())
            )
        )

    for objective, path in plan.data:
        if objective and objective not in plan.scorers:
            raise ConfigError(f"combine: {objective}={path}: objectives are {', '.join(plan.scorers)}.")
        add(path, "scale", objective)
    if plan.overall is not None:
        add(plan.overall, "weights", "")
    if plan.validation is not None:
        add(plan.validation, "validation", "")
    return used, files


def _by_weights(
    plan: CombinePlan, parts: Sequence[ObjectivePart], rewards: ObjectiveRewards, notes: list[str]
) -> Combination:
    if plan.weights:
        stated = [one.model_copy(update={"weight": plan.weights[one.name]}) for one in parts]
        return Combination(rule="weights", objectives=stated, notes=notes)
    places = rewards.places("weights")
    if len(places) < FEWEST * len(parts):
        raise InputError(
            f"combine: {len(places)} overall preferences are too few to fit {len(parts)} weights (at least "
            f"{FEWEST * len(parts)}). State them: --weight helpful=1,harmless=1."
        )
    margins = rewards.margins(places)
    weights, errors = fitted_weights(margins, _target([rewards.used[n].pair for n in places]), rewards.prompts(places))
    for one, weight, error in zip(parts, weights, errors, strict=True):
        if weight < 0:
            notes.append(f"overall preferences go against {one.name}: its weight is {weight:.3g}")
        elif abs(weight) < 2 * error:
            notes.append(f"overall preferences do not tell the weight of {one.name} from 0: {weight:.3g} ± {error:.2g}")
    if not weights.sum() > 0:
        told = ", ".join(f"{one.name} {weight:.3g}" for one, weight in zip(parts, weights, strict=True))
        raise InputError(f"combine: the weights fitted to {plan.overall} sum to nothing ({told}). State them, or look "
                         "whether its labels are turned.")  # fmt: skip
    fitted = [
        one.model_copy(update={"weight": float(weight), "weight_error": float(error)})
        for one, weight, error in zip(parts, weights, errors, strict=True)
    ]
    return Combination(rule="weights", objectives=fitted, notes=notes)


def fitted_weights(margins_NK: Array, target_N: Array, prompts: Codes) -> tuple[Array, Array]:
    """Log odds of an overall preference by a standard deviation of each objective, and their clustered errors, (K,).

    P(chosen) = sigmoid(sum of weight x margin), without an intercept: which answer is called first says nothing.
    Raises InputError where one objective repeats another, so that no weight is theirs alone.
    """
    fit = fit_logistic(margins_NK, target_N, ridge=RIDGE)
    if isinstance(fit, Unknown) or np.linalg.matrix_rank(margins_NK) < margins_NK.shape[1]:
        raise InputError("combine: the objectives' margins do not settle weights: one repeats another. State weights.")
    if len(np.unique(prompts)) < 2:
        raise InputError("combine: all overall preferences are of one prompt: nothing is known about others.")
    variance = np.maximum(np.diag(cluster_covariance(fit, prompts)), independent_variance(fit, len(np.unique(prompts))))
    return fit.coefficients, np.sqrt(variance)


def _target(pairs: Sequence[Pair]) -> Array:
    return np.array([0.5 if one.label == "tie" else 1.0 for one in pairs])


def _under_constraints(
    plan: CombinePlan, parts: Sequence[ObjectivePart], rewards: ObjectiveRewards, notes: list[str]
) -> Combination:
    slices = _validation(plan, rewards)
    reasons: list[str] = []
    bound: list[ObjectivePart] = []
    confidence = plan.confidence or 0.5
    for k, one in enumerate(parts):
        if one.name == plan.maximise:
            bound.append(one)
            continue
        threshold = plan.thresholds[one.name]
        slope = _slope(k, one.name, rewards, set(slices))
        if slope is None:
            reasons.append(
                f"The reward of {one.name} does not follow its own pairs, so no answer is known to be above its "
                "threshold."
            )
            bound.append(one.model_copy(update={"threshold": threshold}))
            continue
        at = bound_of(threshold, confidence=confidence, slope=slope)
        bound.append(one.model_copy(update={"threshold": threshold, "slope": slope, "bound": at}))
    base = Combination.model_construct(
        rule="constrained", objectives=bound, maximise=plan.maximise, confidence=confidence, notes=notes,
        outcome="undecided", reasons=reasons, files=[], measured=[], trade_offs=[],
    )  # fmt: skip
    if reasons:
        return base
    lead = list(plan.scorers).index(plan.maximise or "")
    values, prompts = rewards.answers(slices)
    bounds = bounds_of(bound, lead)
    found = dual_weights(values, prompts, lead=lead, bounds=[bounds[k] for k in range(len(bound))])
    if isinstance(found, Unknown):
        return base.model_copy(update={"reasons": [f"{found.reason[0].upper()}{found.reason[1:]}."]})
    if isinstance(found, Unsatisfied):
        return base.model_copy(update={"reasons": found.told(list(plan.scorers))})
    return _decided(base, found, lead)


def _decided(base: Combination, found: DualWeights, lead: int) -> Combination:
    priced = [
        one if k == lead else one.model_copy(update={"dual": found.duals[k]}) for k, one in enumerate(base.objectives)
    ]
    span = "" if found.met_interval is None else f" ({found.met_interval.low:.0%} to {found.met_interval.high:.0%})"
    notes = [
        *base.notes,
        f"{found.met:.0%} of the validation answers{span} break no constraint",
        f"{found.kept:,} of {found.prompts:,} validation prompts have such an answer; dual weights are found on those",
        f"the constraints cost {found.given_up:.2f} standard deviations of {base.maximise} there",
    ]
    return base.model_copy(update={"objectives": priced, "outcome": "decided", "notes": notes})


def _validation(plan: CombinePlan, rewards: ObjectiveRewards) -> list[int]:
    """The pairs of the validation slice: the named file, or a fifth of the prompts, told by their text alone."""
    if plan.validation is not None:
        return rewards.places("validation")
    return [n for n in rewards.places("scale") if fold_of(rewards.used[n].pair.prompt) == 0]


def _slope(k: int, name: str, rewards: ObjectiveRewards, left: set[int]) -> float | None:
    """Lower bound at 95% of the log odds a standard deviation by which people's choices follow objective k; None
    where it is not above 0.
    """
    places = [n for n in rewards.places("scale", name) if n not in left]
    if len(places) < FEWEST:
        raise InputError(
            f"combine: objective {name} has {len(places)} pairs beside the validation slice: too few for a slope (at "
            f"least {FEWEST}). Give more, or --validate FILE."
        )
    target = _target([rewards.used[n].pair for n in places])
    slopes, errors = fitted_weights(rewards.margins(places)[:, [k]], target, rewards.prompts(places))
    low = float(slopes[0] - ONE_SIDED * errors[0])
    return low if low > 0 else None


def _measured(found: Combination, rewards: ObjectiveRewards) -> Combination:
    labelled = labelled_margins(rewards)
    match found.rule:
        case "weights":
            curves = weight_curves(labelled, found)
        case "lexicographic":
            curves = tolerance_curves(labelled, found)
        case "constrained":
            places = rewards.places("validation") or [
                n for n in rewards.places("scale") if fold_of(rewards.used[n].pair.prompt) == 0
            ]
            curves = threshold_curves(labelled, found, *rewards.answers(places))
    values = found.model_copy(update={"measured": measured(labelled, found), "trade_offs": curves})
    return Combination.build(values.model_dump())
