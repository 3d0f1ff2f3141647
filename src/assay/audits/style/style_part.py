"""The part of an audit on style: what style alone reaches, what of the reward it explains, what the reward overdoes.

Knows which figure is made of what; the tests stand in `overuse`, the fits in `style_rule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import special

from assay.artifacts.audit_style_table import OveruseRow, StyleEffect, StyleTable
from assay.audits.part import Found, Given
from assay.audits.scores_table import Aligned, Mask
from assay.audits.style.overuse import FEWEST, Overuse, overuse, power_of_overuse
from assay.audits.style.source_attributes import source_attributes
from assay.audits.style.style_differences import (
    Attributes,
    length_differences,
    length_terms,
    scaled,
    style_differences,
    that_add,
)
from assay.audits.style.style_meanings import STYLE_FIGURES
from assay.audits.style.style_rule import margins_out_of_fold, rule_out_of_fold
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.findings.vocabulary import Vocabulary
from assay.records import plain_text
from assay.stats.intervals import (
    Array,
    Interval,
    cluster_bootstrap,
    cluster_difference,
    cluster_mean,
    cluster_wilson,
    ending,
)
from assay.stats.multiplicity import holm
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.partial_effects import effects_on_margin, effects_on_people
from assay.stats.unknown import Unknown

MEANINGS = Vocabulary(STYLE_FIGURES)
FEWEST_PAIRS = 60
STRENGTH = 0.5  # log odds for one size of an attribute: a quarter of the spread of a reward that is right in 80%
NEAR_STYLE = 0.02  # points beyond the style-only rule that count as none
EQUAL = float(special.logit(0.55))  # log odds of the style-only rule under which style does not help
Family = Literal["length", "style", "source"]
WORDS: Mapping[Family, str] = {"length": "length_overuse", "style": "style_overuse", "source": "source_overuse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Differences of every pair. marks: style; length: its two terms, (N, 2); rule: both, scaled, nothing twice."""

    marks: Attributes
    length: Array
    rule: Attributes

    @classmethod
    def of(cls, aligned: Aligned) -> Self:
        chosen = [plain_text(pair.chosen) for pair in aligned.pairs]
        marks = style_differences(chosen, [plain_text(pair.rejected) for pair in aligned.pairs])
        length = length_terms(aligned.length)
        both = marks.with_others(Attributes(names=("relative length", "characters"), values=length))
        rule = that_add(Attributes(names=both.names, values=scaled(both.values)))
        return cls(marks=marks, length=length, rule=rule)


def style_audit(given: Given) -> Found:
    """Findings of STYLE_FIGURES and the table of effects and over-use."""
    aligned, level = given.aligned, given.config.level
    usable: Mask = np.asarray(aligned.finite.all(axis=0))
    groups = len(np.unique(aligned.groups[usable]))
    if usable.sum() < FEWEST_PAIRS or groups < 2:
        why = f"{int(usable.sum())} pairs of {groups} prompt groups are too few to fit style ({FEWEST_PAIRS} pairs)"
        names = [meaning for meaning in STYLE_FIGURES if not meaning.where_given]
        empty: StyleTable = {"level": level, "effects": [], "overuse": []}
        return Found(findings=[unknown(one, why, n=int(usable.sum())) for one in names], tables={"style": empty})
    style = Style.of(aligned)
    rows: list[OveruseRow] = []
    findings = [*_against_style(given, style), _explained(given, style, usable)]
    families: list[tuple[Family, Attributes, Array | None]] = [
        ("length", length_differences(aligned.length), None),
        ("style", style.marks, style.length),
        ("source", source_attributes(aligned.pairs), None),
    ]
    for family, attributes, besides in families:
        if family == "source" and not attributes.names:
            continue
        finding, some = _overuse(aligned, family, attributes, besides, usable, level=level)
        findings.append(finding)
        rows += some
    table: StyleTable = {"level": level, "effects": _effects(given, style, usable), "overuse": rows}
    return Found(findings=findings, tables={"style": table})


def _against_style(given: Given, style: Style) -> list[Finding]:
    """The style-only rule, accuracy beyond it, and accuracy where it says nothing."""
    aligned, level = given.aligned, given.config.level
    longest = 0.5 + 0.5 * np.sign(aligned.length_difference)
    names = ("style_baseline", "accuracy_beyond_style", "accuracy_equal_style")
    fitted = rule_out_of_fold(style.rule.values, longest, aligned.groups, seed=given.config.seed)
    if isinstance(fitted, Unknown):
        return [unknown(MEANINGS[name], fitted.reason, n=aligned.n) for name in names]
    rule, correct = fitted.right, aligned.correct.mean(axis=0)
    detail = {
        "longest": float(longest.mean()),
        "shortest": float(1 - longest.mean()),
        "features": len(style.rule.names),
    }
    interval = cluster_wilson(rule, aligned.groups, level=level)
    found = [measured(MEANINGS[names[0]], float(rule.mean()), n=aligned.n, interval=interval, detail=detail)]
    beyond = float((correct - rule).mean())
    found.append(
        measured(
            MEANINGS[names[1]],
            beyond,
            n=aligned.n,
            interval=cluster_difference(correct, rule, aligned.groups, level=level),
            detail={"baseline": float(rule.mean()), "tolerated": NEAR_STYLE},
            alarm=_near_style(correct - rule, aligned),
        )
    )
    equal = np.abs(fitted.log_odds) <= EQUAL
    if not equal.any():
        reason = "in every pair style gives one answer more than 55%"
        return [*found, unknown(MEANINGS[names[2]], reason, n=0)]
    values, groups = correct[equal], aligned.groups[equal]
    part = {"share_of_pairs": float(equal.mean()), "clusters": len(np.unique(groups))}
    interval = cluster_wilson(values, groups, level=level)
    return [*found, measured(MEANINGS[names[2]], float(values.mean()), n=values.size, interval=interval, detail=part)]


def _near_style(difference_N: Array, aligned: Aligned) -> Alarm | None:
    """Alarm where the reward adds less than NEAR_STYLE to what style alone tells."""
    found = cluster_mean(difference_N, aligned.groups)
    if isinstance(found, Unknown) or found.variance is None:
        return None
    if found.variance == 0:
        # Reward and rule never differ: so many groups without a difference, were a difference that frequent.
        p = (1 - NEAR_STYLE) ** found.clusters if found.mean < NEAR_STYLE else 1.0
        return Alarm(p=p, strength="problem")
    error = float(np.sqrt(found.variance))
    distance = (found.mean - NEAR_STYLE) / error
    # Far above what is tolerated nothing was missed, however wide the interval.
    critical = -float(special.ndtri(FAMILY_ALPHA))
    power = None if distance > 2 else float(special.ndtr(NEAR_STYLE / error - critical))
    return Alarm(p=float(special.stdtr(found.clusters - 1, distance)), strength="problem", power=power)


def _explained(given: Given, style: Style, usable: Mask) -> Finding:
    """One minus what style leaves of the squared margins, out of fold; mean over seeds, clusters resampled."""
    aligned, config = given.aligned, given.config
    margin, groups = aligned.margin[:, usable], aligned.groups[usable]
    codes = np.unique(groups, return_inverse=True)[1]
    size = np.abs(margin).max(axis=1, keepdims=True)
    meaning, n = MEANINGS["style_explained"], int(usable.sum())
    if not (size > 0).all():
        return unknown(meaning, "the reward is the same for both answers of every pair", n=n)
    margin = margin / size  # keeps the sums of squares in range
    left = margin - margins_out_of_fold(margin, style.rule.values[usable], codes, seed=config.seed)
    sums = np.column_stack([np.square(left).T, np.square(margin).T])
    seeds = len(aligned.seeds)

    def statistic(sums_RK: Array) -> Array:
        # Below 0 the fit foretells nothing.
        return np.asarray(np.maximum((1 - sums_RK[:, :seeds] / sums_RK[:, seeds:]).mean(axis=1), 0.0))

    interval = cluster_bootstrap(
        sums, groups, statistic, use=meaning.name, level=config.level, resamples=config.resamples, seed=config.seed
    )
    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    return measured(meaning, value, n=n, interval=ending(interval, 0.0, 1.0))


def _overuse(
    aligned: Aligned, family: Family, attributes: Attributes, besides: Array | None, usable: Mask, *, level: float
) -> tuple[Finding, list[OveruseRow]]:
    """The attribute that surprises most, its p corrected for all of the family; and a row for each."""
    meaning, n = MEANINGS[WORDS[family]], int(usable.sum())
    margin = aligned.margin[:, usable]
    if not attributes.names:
        return unknown(meaning, f"both answers are alike in {family} in every pair", n=n), []
    if not (margin != 0).any(axis=1).all():
        return unknown(meaning, "the reward is the same for both answers of every pair", n=n), []
    groups = np.unique(aligned.groups[usable], return_inverse=True)[1].astype(np.intp).ravel()
    values = scaled(attributes.values[usable])
    tested = overuse(margin, values, groups, besides_NJ=None if besides is None else besides[usable])
    if isinstance(tested, Unknown):
        return unknown(meaning, tested.reason, n=n), []
    rows = _rows(family, attributes, tested, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.nan_to_num(np.abs(tested.beyond / tested.error))
    worst = int(np.lexsort((-surprise, tested.p))[0])
    named = rows[worst]
    interval: Interval | Unknown = Interval(
        low=max(named["beyond_low"], -1.0),
        high=min(named["beyond_high"], 1.0),
        level=level,
        method=f"t, clustered by prompt group, Bonferroni over {len(rows)} attributes",
    )
    if tested.error[worst] <= 0:
        interval = Unknown("no pair says anything about it")
    detail = {
        "named": named["attribute"],
        "direction": "more" if named["beyond"] > 0 else "less",
        "people": named["people"],
        "reward": named["reward"],
        "attributes": len(rows),
    }
    power = max(row["power"] for row in rows)
    alarm = Alarm(p=named["p"], strength="warning", power=power)
    return measured(meaning, named["beyond"], n=n, interval=interval, detail=detail, alarm=alarm), rows


def _rows(family: Family, attributes: Attributes, tested: Overuse, *, level: float) -> list[OveruseRow]:
    count = len(attributes.names)
    # The one that is named was picked for being extreme, so that every row gets its share of the error.
    reach = special.stdtrit(tested.freedom, 1 - (1 - level) / count / 2) * tested.error
    power = power_of_overuse(tested.information, strength=STRENGTH, level=FAMILY_ALPHA / count)
    return [
        {
            "family": family,
            "attribute": name,
            "pairs": int(attributes.differing[place]),
            "people": float(tested.lean_people[place]),
            "reward": float(tested.lean[place]),
            "beyond": float(tested.beyond[place]),
            "beyond_low": max(float(tested.beyond[place] - reach[place]), -1.0),
            "beyond_high": min(float(tested.beyond[place] + reach[place]), 1.0),
            "p": min(count * float(tested.p[place]), 1.0),
            "power": float(power[place]) if tested.freedom[place] + 1 >= FEWEST else 0.0,
        }
        for place, name in enumerate(attributes.names)
    ]


def _effects(given: Given, style: Style, usable: Mask) -> list[StyleEffect]:
    """One row a feature, those that move the reward most first."""
    aligned, level = given.aligned, given.config.level
    features = style.rule.values[usable]
    groups = np.unique(aligned.groups[usable], return_inverse=True)[1].astype(np.intp).ravel()
    on_margin = effects_on_margin(aligned.margin[:, usable], features, groups)
    people = effects_on_people(features, groups)
    low, high = on_margin.bounds(level)
    known = None if isinstance(people, Unknown) else (people.value, *people.bounds(level))
    # Where the reward is a feature itself, all others differ from 0 by rounding only.
    adjusted = holm(np.where(np.abs(on_margin.value) < 1e-9, 1.0, on_margin.p))
    rows: list[StyleEffect] = [
        {
            "feature": name,
            "pairs": int((features[:, place] != 0).sum()),
            "margin": float(on_margin.value[place]),
            "margin_low": float(low[place]),
            "margin_high": float(high[place]),
            "p": float(adjusted[place]),
            "people": float(known[0][place]) if known else None,
            "people_low": float(known[1][place]) if known else None,
            "people_high": float(known[2][place]) if known else None,
        }
        for place, name in enumerate(style.rule.names)
    ]
    return sorted(rows, key=lambda row: (-abs(row["margin"]), row["feature"]))
