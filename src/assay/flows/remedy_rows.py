"""A remedy held against none: each figure with what it is more than without, on the same pairs and prompts.

Knows measurements; trains and scores nothing. Shapes: N pairs or prompts that both know, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.remedies_body import RemedyFigure, RemedyRow
from assay.audits.compare.accuracy_difference import difference
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.two_sides import TwoSides
from assay.audits.config import AuditConfig
from assay.audits.pairs.length import matched
from assay.audits.scores_table import Aligned, Mask
from assay.flows.remedy_measures import Measured, ProbeRate
from assay.flows.remedy_pressure import BestOfN, PickedGold, Searched
from assay.stats.intervals import Interval, cluster_wilson, ending
from assay.stats.seed_variance import Recipe, recipe_difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The run without a remedy, against which every other is held, and how."""

    measured: Measured
    config: AuditConfig

    def row(self, one: Measured) -> RemedyRow:
        """The row of a remedy, or of the run without itself, which has nothing to be more than."""
        none = None if one.name == self.measured.name else self.measured
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
            lost=one.lost,
            seconds=round(float(np.mean(one.seconds)), 1) if one.seconds else None,
            passes=one.passes,
            pairs=one.pairs,
        )  # fmt: skip

    def accuracies(self, aligned: Aligned, beside: Aligned | None) -> dict[str, RemedyFigure]:
        """Accuracy over all pairs and over the parts that a shortcut by length would show in."""
        sides = TwoSides(a=aligned, b=beside or aligned)
        found: dict[str, RemedyFigure] = {}
        for name, mask in parts(aligned, tolerance=self.config.length_tolerance).items():
            if not mask.any():
                continue
            right, groups = sides.right_a[mask], aligned.groups[mask]
            more = None if beside is None else difference(sides, mask, CompareConfig(level=self.config.level))
            found[name] = RemedyFigure(
                value=float(right.mean()),
                n=int(mask.sum()),
                interval=body(cluster_wilson(right, groups, level=self.config.level)),
                more=None if more is None else more.mean,
                more_interval=None if more is None else body(more.interval),
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

    def apart(
        self, rate: ProbeRate, beside: ProbeRate, groups: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.intp]]
    ) -> tuple[float | None, IntervalBody | None]:
        """The difference over the pairs that the probe could be asked of under both."""
        place, ours, theirs = np.intersect1d(rate.place, beside.place, return_indices=True)
        if not place.size:
            return None, None
        more, interval = recipe_difference(
            Recipe(value_N=rate.did.value_N[ours], mean_S=rate.did.mean_S),
            Recipe(value_N=beside.did.value_N[theirs], mean_S=beside.did.mean_S),
            np.asarray(groups)[place],
            level=self.config.level,
        )
        return more, body(ending(interval, -1.0, 1.0))

    def gold_figure(self, picked: PickedGold | None, beside: PickedGold | None) -> RemedyFigure | None:
        """Mean gold over prompts, and the difference over the prompts that both have; None where nothing was picked."""
        if picked is None:
            return None
        nothing = Recipe(value_N=np.zeros(len(picked.prompts)), mean_S=np.zeros(1))
        value, interval = recipe_difference(recipe(picked.gold), nothing, picked.clusters, level=self.config.level)
        more, more_interval = None, None
        if beside is not None:
            theirs = {name: place for place, name in enumerate(beside.prompts)}
            both = [(place, theirs[name]) for place, name in enumerate(picked.prompts) if name in theirs]
            if both:
                ours, others = (list(places) for places in zip(*both, strict=True))
                more, found = recipe_difference(
                    recipe(picked.gold[:, ours]),
                    recipe(beside.gold[:, others]),
                    [picked.clusters[place] for place in ours],
                    level=self.config.level,
                )
                more_interval = body(found)
        return RemedyFigure(
            value=value, n=len(picked.prompts), interval=body(interval), more=more, more_interval=more_interval
        )


def picked(found: BestOfN | Searched | None) -> PickedGold | None:
    return None if found is None else found.picked


def recipe(gold_SG: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Recipe:
    return Recipe(value_N=gold_SG.mean(axis=0), mean_S=gold_SG.mean(axis=1))


def parts(aligned: Aligned, *, tolerance: float) -> Mapping[str, Mask]:
    """All pairs; those of nearly the same length; those whose preferred answer is the shorter one."""
    return {
        "accuracy": np.ones(aligned.n, dtype=bool),
        "length_matched_accuracy": matched(aligned.length, tolerance),
        "accuracy_shorter_preferred": aligned.length_difference < 0,
    }


def body(found: object) -> IntervalBody | None:
    return IntervalBody.model_validate(found.to_dict()) if isinstance(found, Interval) else None
