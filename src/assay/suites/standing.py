"""Marks of a scorer and of the rules it should beat -> where it stands on each part: figures, intervals, verdicts.

Parts get Wilson's interval clustered by prompt, formulas the jackknife over prompts. On each part the scorer is held
against the best of longest, shortest and chance; the p values of all parts are adjusted together by Holm, so that with
23 subsets one that is ahead by luck is no news. Knows marks; knows no suite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from scipy import stats as scipy_stats

from assay.questions.task import Answered
from assay.stats.intervals import Array, Interval, cluster_codes, cluster_mean, cluster_score, cluster_wilson, ending
from assay.stats.jackknife import cluster_jackknife
from assay.stats.multiplicity import holm
from assay.stats.unknown import Unknown
from assay.suites.suite import Formula, Mark, Suite

Kind = Literal["part", "formula", "described"]
Verdict = Literal["ahead", "behind", "not_told_apart"]
CHANCE = "chance"
LEVEL_OF_VERDICTS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One figure of a scorer on a suite.

    n: items in it; unscored: items that belong to it and have no reward. if_wrong, if_right: the figure with all of
    those counted as wrong, or as right; None where there are none. others: what each baseline and chance get.
    rule: the best of those, and ahead: value minus that, with its interval and p value; p_holm: adjusted over parts.
    """

    name: str
    kind: Kind
    value: float | Unknown
    interval: Interval | Unknown
    n: int
    unscored: int = 0
    if_wrong: float | None = None
    if_right: float | None = None
    others: Mapping[str, float | None] = field(default_factory=dict)
    rule: str | None = None
    ahead: float | None = None
    p: float | None = None
    p_holm: float | None = None
    verdict: Verdict | None = None
    also: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """The marks of one part: those with a value, and the items of those without."""

    values: Array
    chance: float | None
    clusters: list[str]
    items: list[str]
    lost: list[str]

    @property
    def unscored(self) -> int:
        return len(self.lost)

    @property
    def mean(self) -> float:
        return float(self.values.mean()) if self.values.size else math.nan

    def mean_if(self, value: float) -> float:
        """The mean with `value` for every mark without one."""
        total = self.values.size + self.unscored
        return (float(self.values.sum()) + value * self.unscored) / total if total else math.nan


def standings(
    suite: Suite, answered: Sequence[Answered], baselines: Mapping[str, Sequence[Answered]], *, level: float = 0.95
) -> list[Standing]:
    """Formulas first, then parts as they come in the data, then what is described; see Standing.

    baselines: rewards of the rules to beat, by name, over the same groups.
    """
    own = by_part(suite.mark(answered))
    theirs = {name: by_part(suite.mark(values)) for name, values in baselines.items()}
    shown = [part for part in own if part not in suite.hidden]
    parts = judged(
        [_part(name, own[name], {b: marked.get(name) for b, marked in theirs.items()}, level) for name in shown]
    )
    formulas = [_formula(formula, own, theirs, level) for formula in suite.formulas]
    described = [
        Standing(name=one.name, kind="described", value=one.value, interval=Unknown(one.why), n=one.n)
        for one in suite.describe(answered)
    ]
    return formulas + parts + described


def by_part(marks: Sequence[Mark]) -> dict[str, Marked]:
    """Marks gathered by part, in the order in which parts come."""
    rows: dict[str, list[Mark]] = {}
    for mark in marks:
        rows.setdefault(mark.part, []).append(mark)
    found = {}
    for part, some in rows.items():
        known = [(mark, mark.value) for mark in some if not isinstance(mark.value, Unknown)]
        chances = [mark.chance for mark, _value in known if mark.chance is not None]
        found[part] = Marked(
            np.array([value for _mark, value in known], dtype=np.float64),
            float(np.mean(chances)) if chances and len(chances) == len(known) else None,
            [mark.cluster for mark, _value in known],
            [mark.item for mark, _value in known],
            [mark.item for mark in some if isinstance(mark.value, Unknown)],
        )
    return found


def judged(parts: Sequence[Standing]) -> list[Standing]:
    """The parts with p values adjusted for being many, and what they say at 5%."""
    tested = [place for place, part in enumerate(parts) if part.p is not None]
    adjusted = (
        dict(zip(tested, holm([parts[place].p or 0.0 for place in tested]).tolist(), strict=True)) if tested else {}
    )
    found = []
    for place, part in enumerate(parts):
        if place in adjusted and part.ahead is not None:
            told = adjusted[place] < LEVEL_OF_VERDICTS
            verdict: Verdict = "not_told_apart" if not told else "ahead" if part.ahead > 0 else "behind"
            found.append(replace(part, p_holm=adjusted[place], verdict=verdict))
        else:
            found.append(part)
    return found


def _part(name: str, own: Marked, theirs: Mapping[str, Marked | None], level: float) -> Standing:
    unscored = own.unscored
    if not own.values.size:
        why = Unknown(f"none of {unscored:,} items has a reward for every answer")
        return Standing(name=name, kind="part", value=why, interval=why, n=0, unscored=unscored)
    others: dict[str, float | None] = {
        name: _mean_of(marked, set(own.items)) if marked is not None else None for name, marked in theirs.items()
    }
    others[CHANCE] = own.chance
    rule = max(
        (one for one, value in others.items() if value is not None), key=lambda one: others[one] or 0.0, default=None
    )
    loss = name.endswith(": loss")  # less is better: no rule is "to beat" by being higher
    ahead = p = None
    if rule is not None and not loss:
        ahead, p = _held_against(own, theirs.get(rule), others[rule] or 0.0)
    within = own.values.min() >= 0 and own.values.max() <= 1
    return Standing(
        name=name,
        kind="part",
        value=own.mean,
        interval=share_interval(own, level) if within else Unknown("not a share"),
        n=own.values.size,
        unscored=unscored,
        if_wrong=own.mean_if(1.0 if loss else 0.0) if unscored else None,
        if_right=own.mean_if(0.0 if loss else 1.0) if unscored else None,
        others=others,
        rule=None if loss else rule,
        ahead=ahead,
        p=p,
    )


def share_interval(own: Marked, level: float) -> Interval | Unknown:
    """Wilson's for grades of 0 and 1; at the spread seen for those between, which vary less than a coin."""
    if np.isin(own.values, (0.0, 1.0)).all():
        return cluster_wilson(own.values, own.clusters, level=level)
    found, _effect = cluster_score(own.values, own.clusters, level=level)
    method = "Wilson at the spread of the grades, clustered by prompt"
    return replace(found, method=method) if isinstance(found, Interval) else found


def _mean_of(marked: Marked, items: set[str]) -> float | None:
    """A baseline's mean over the items that the scorer has, or it would be held against other items."""
    kept = [value for value, item in zip(marked.values.tolist(), marked.items, strict=True) if item in items]
    return float(np.mean(kept)) if kept else None


def _held_against(own: Marked, rule: Marked | None, share: float) -> tuple[float, float]:
    """Mean of own minus the rule's over the same marks, and its two-sided p value by a paired t test over prompts."""
    if rule is None:
        differences, clusters = own.values - share, own.clusters
    else:
        differences, clusters = _paired(own, rule)
    found = cluster_mean(differences, clusters)
    if isinstance(found, Unknown) or found.variance is None:
        return own.mean - share, 1.0
    if found.variance == 0:
        # All prompts alike: as many coins that fell one way, or no difference at all.
        return found.mean, min(1.0, 2 * 0.5**found.clusters) if found.mean else 1.0
    t = found.mean / math.sqrt(found.variance)
    return found.mean, float(2 * scipy_stats.t.sf(abs(t), found.clusters - 1))


def _paired(own: Marked, rule: Marked) -> tuple[Array, list[str]]:
    """Differences mark by mark. Marks of one item in one part stand in the same order in both."""
    theirs: dict[str, list[float]] = {}
    for value, item in zip(rule.values.tolist(), rule.items, strict=True):
        theirs.setdefault(item, []).append(value)
    places: dict[str, int] = {}
    differences = []
    for value, item in zip(own.values.tolist(), own.items, strict=True):
        place = places.get(item, 0)
        places[item] = place + 1
        differences.append(value - theirs[item][place])
    return np.array(differences), own.clusters


def _formula(
    formula: Formula, own: Mapping[str, Marked], theirs: Mapping[str, Mapping[str, Marked]], level: float
) -> Standing:
    there = [own.get(part) for part in formula.parts]
    items = {item for one in there if one is not None for item in one.items}
    lost = {item for one in there if one is not None for item in one.lost}
    value = _value(formula, [math.nan if one is None else one.mean for one in there])
    wrong, right = ([math.nan if one is None else one.mean_if(to) for one in there] for to in (0.0, 1.0))
    others = {
        name: _or_none(_value(formula, [_baseline_mean(marked.get(part), own.get(part)) for part in formula.parts]))
        for name, marked in theirs.items()
    }
    chances = [one.chance if one is not None and one.chance is not None else math.nan for one in there]
    others[CHANCE] = None if any(map(math.isnan, chances)) else _or_none(_value(formula, chances))
    return Standing(
        name=formula.name,
        kind="formula",
        value=value,
        interval=value if isinstance(value, Unknown) else ending(_interval(formula, own, level), 0.0, 1.0),
        n=len(items),
        unscored=len(lost),
        if_wrong=_or_none(_value(formula, wrong)) if lost else None,
        if_right=_or_none(_value(formula, right)) if lost else None,
        others=others,
        also=formula.also,
    )


def _baseline_mean(marked: Marked | None, own: Marked | None) -> float:
    found = None if marked is None or own is None else _mean_of(marked, set(own.items))
    return math.nan if found is None else found


def _value(formula: Formula, means: Sequence[float]) -> float | Unknown:
    found = float(formula.of(np.array([means]))[0])
    if math.isfinite(found):
        return found
    missing = [part for part, mean in zip(formula.parts, means, strict=True) if math.isnan(mean)]
    return Unknown(f"no item of {', '.join(missing[:3])} has a grade")


def _or_none(value: float | Unknown) -> float | None:
    return None if isinstance(value, Unknown) else value


def _interval(formula: Formula, own: Mapping[str, Marked], level: float) -> Interval | Unknown:
    """Jackknife over prompts: each leaves all its marks, in every part."""
    there = [(place, own[part]) for place, part in enumerate(formula.parts) if part in own]
    names = [cluster for _place, one in there for cluster in one.clusters]
    if not names:
        return Unknown("no item has a grade")
    codes = cluster_codes(names)
    sums_GK = np.zeros((int(codes.max()) + 1, 2 * len(formula.parts)))
    start = 0
    for place, one in there:
        here = codes[start : start + one.values.size]
        start += one.values.size
        np.add.at(sums_GK[:, 2 * place], here, one.values)
        np.add.at(sums_GK[:, 2 * place + 1], here, 1.0)
    if len(formula.parts) == 1 and _is_plain(formula, there[0][1]):
        return share_interval(there[0][1], level)
    return cluster_jackknife(
        sums_GK,
        [str(code) for code in range(len(sums_GK))],
        lambda sums: formula.of(sums[:, ::2] / sums[:, 1::2]),
        level=level,
    )


def _is_plain(formula: Formula, one: Marked) -> bool:
    """Whether the formula is the mean of its one part, which Wilson's interval fits better."""
    within = bool(one.values.size) and one.values.min() >= 0 and one.values.max() <= 1
    return within and float(formula.of(np.array([[one.mean]]))[0]) == one.mean
