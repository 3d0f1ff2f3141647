"""A remedy held against none: each figure with what it is more than without, on the same pairs and prompts.

Knows measurements; trains and scores nothing. Shapes: N pairs or prompts that both know, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.remedies_body import RemedyFigure, RemedyRow
from assay.audits.config import AuditConfig
from assay.audits.pairs.length import matched
from assay.audits.scores_table import Aligned, Mask
from assay.flows.remedy_pressure import BestOfN, PickedGold, Searched
from assay.flows.remedy_trial import Measured, ProbeRate
from assay.stats.intervals import Array, Codes, Interval, cluster_difference, cluster_wilson, ending, wilson_of
from assay.stats.seed_variance import Recipe, recipe_difference, recipe_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The run without a remedy, against which every other is held, and how."""

    measured: Measured
    config: AuditConfig

    def row(self, one: Measured) -> RemedyRow:
        """The row of a remedy, or of the run without itself, which has nothing to be more than."""
        none = None if one.name == self.measured.name else self.measured
        one = one if none is None else with_the_same_n(one, none)
        if one.aligned is None:
            return RemedyRow(name=one.name, kind=one.kind, settings=dict(one.settings), why_not=one.why_not)
        return RemedyRow(
            name=one.name,
            kind=one.kind,
            settings=dict(one.settings),
            figures=self.accuracies(one.aligned, none.aligned if none else None),
            elsewhere={}
            if one.elsewhere is None
            else self.accuracies(one.elsewhere, none.elsewhere if none else None),
            probes=self.probe_figures(one, none),
            gold=self.gold_figure(picked(one.best), picked(none.best if none else None)),
            turn=None if one.best is None else one.best.verdict,
            turn_words=None if one.best is None else one.best.sentence,
            pressed=self.gold_figure(picked(one.pressed), picked(none.pressed if none else None)),
            notes=one.notes,
            seconds=round(float(np.mean(one.seconds)), 1) if one.seconds else None,
            passes=one.passes,
            pairs=one.pairs,
        )  # fmt: skip

    def accuracies(self, aligned: Aligned, beside: Aligned | None) -> dict[str, RemedyFigure]:
        """Accuracy over all pairs and over the parts that a shortcut by length would show in."""
        found: dict[str, RemedyFigure] = {}
        for name, mask in parts(aligned, tolerance=self.config.length_tolerance).items():
            if not mask.any():
                continue
            right, groups = aligned.correct[:, mask], aligned.groups[mask]
            more, span = None, None
            if beside is not None:
                assert [one.id for one in beside.pairs] == [one.id for one in aligned.pairs]
                more, span = self.shares_apart(
                    recipe(right, aligned.seeds), recipe(beside.correct[:, mask], beside.seeds), groups
                )
            found[name] = RemedyFigure(
                value=float(right.mean()),
                n=int(mask.sum()),
                interval=body(wilson_of(recipe_mean(right, groups), level=self.config.level)),
                more=more,
                more_interval=span,
            )
        return found

    def probe_figures(self, one: Measured, none: Measured | None) -> dict[str, RemedyFigure]:
        assert one.aligned is not None
        groups = one.aligned.groups
        found: dict[str, RemedyFigure] = {}
        for name, rate in one.probes.items():
            beside = None if none is None else none.probes.get(name)
            more, interval = None, None
            if beside is not None:
                more, interval = self.apart(rate, beside, groups)
            found[name] = RemedyFigure(
                value=float(rate.did.value_N.mean()),
                n=rate.place.size,
                interval=body(cluster_wilson(rate.did.value_N, groups[rate.place], level=self.config.level)),
                more=more,
                more_interval=interval,
            )
        return found

    def apart(self, rate: ProbeRate, beside: ProbeRate, groups: Codes) -> tuple[float | None, IntervalBody | None]:
        """The difference over the pairs that the probe could be asked of under both."""
        place, ours, theirs = np.intersect1d(rate.place, beside.place, return_indices=True)
        if not place.size:
            return None, None
        return self.shares_apart(
            replace(rate.did, value_N=rate.did.value_N[ours]),
            replace(beside.did, value_N=beside.did.value_N[theirs]),
            groups[place],
        )

    def shares_apart(self, first: Recipe, second: Recipe, groups: Codes) -> tuple[float, IntervalBody | None]:
        """The difference of two shares of the same pairs."""
        alone = cluster_difference(first.value_N, second.value_N, groups, level=self.config.level)
        more, interval = recipe_difference(first, second, groups, level=self.config.level, alone=alone)
        return more, body(ending(interval, -1.0, 1.0))

    def gold_figure(self, picked: PickedGold | None, beside: PickedGold | None) -> RemedyFigure | None:
        """Mean gold over prompts, and the difference over the prompts that both have; None where nothing was picked."""
        if picked is None:
            return None
        nothing = Recipe(value_N=np.zeros(len(picked.prompts)), mean_S=np.zeros(1))
        value, interval = recipe_difference(
            recipe(picked.gold, picked.seeds), nothing, picked.clusters, level=self.config.level
        )
        more, more_interval = None, None
        if beside is not None:
            theirs = {name: place for place, name in enumerate(beside.prompts)}
            both = [(place, theirs[name]) for place, name in enumerate(picked.prompts) if name in theirs]
            if both:
                ours, others = (list(places) for places in zip(*both, strict=True))
                more, found = recipe_difference(
                    recipe(picked.gold[:, ours], picked.seeds),
                    recipe(beside.gold[:, others], beside.seeds),
                    [picked.clusters[place] for place in ours],
                    level=self.config.level,
                )
                more_interval = body(found)
        return RemedyFigure(
            value=value, n=len(picked.prompts), interval=body(interval), more=more, more_interval=more_interval
        )


def with_the_same_n(one: Measured, none: Measured) -> Measured:
    """The remedy without gold at best of n where that is another n than the one without it allows, and a note of it.

    Rewards that a model does not give (of answers too long for a second base) shorten the curve: gold at best of 32
    held against gold at best of 64 would be no difference of remedies.
    """
    if one.best is None or none.best is None or one.best.n == none.best.n:
        return one
    why = (
        f"gold at best of n: enough answers have a reward for n = {one.best.n}, and for n = {none.best.n} without a "
        "remedy, so that nothing can be paired."
    )
    return replace(one, best=None, notes=(*one.notes, why))


def picked(found: BestOfN | Searched | None) -> PickedGold | None:
    return None if found is None else found.picked


def recipe(value_SN: Array, seeds: tuple[int, ...]) -> Recipe:
    return Recipe(value_N=value_SN.mean(axis=0), mean_S=value_SN.mean(axis=1), seeds=seeds)


def parts(aligned: Aligned, *, tolerance: float) -> Mapping[str, Mask]:
    """All pairs; those of nearly the same length; those whose preferred answer is the shorter one."""
    return {
        "accuracy": np.ones(aligned.n, dtype=bool),
        "length_matched_accuracy": matched(aligned.length, tolerance),
        "accuracy_shorter_preferred": aligned.length_difference < 0,
    }


def body(found: object) -> IntervalBody | None:
    return IntervalBody.model_validate(found.to_dict()) if isinstance(found, Interval) else None
