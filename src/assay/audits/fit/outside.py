"""What share of a policy's samples lies outside the answers a reward knows, against the stated rate of false alarms.

Knows distances and thresholds; knows no model. Letters: S seeds, N answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_cloud import FitCloud
from assay.audits.fit.fit_meanings import MEANINGS
from assay.findings.finding import Finding, Judgement, measured, unknown
from assay.findings.slice import category
from assay.stats.intervals import Array, Interval, cluster_codes, cluster_mean, cluster_score
from assay.stats.unknown import Unknown

NAMES = ("outside_share", "outside_excess")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSamples:
    """Samples whose distance was measured: prompt, group and category of each, and by seed its distance, (N,).

    unread: samples that were looked at and could not be read, by why.
    """

    prompts: Sequence[str]
    clusters: Sequence[str]
    categories: Sequence[str | None]
    distances: Mapping[int, Array]
    unread: Mapping[str, int]


def outside_findings(
    samples: MeasuredSamples | Unknown, clouds: Mapping[int, FitCloud], config: FitConfig
) -> Iterator[Finding]:
    """The share overall and by category, and what of it is beyond the rate. Of several seeds the mean."""
    if isinstance(samples, Unknown) or not samples.prompts:
        why = samples.reason if isinstance(samples, Unknown) else "no sample could be read"
        yield from (unknown(MEANINGS[name], why) for name in NAMES)
        return
    above = np.mean([samples.distances[seed] > cloud.facts.threshold for seed, cloud in clouds.items()], axis=0)
    names, share, clusters = by_prompt(above, samples.prompts, samples.clusters)
    interval, _ = cluster_score(share, cluster_codes(clusters), level=config.level)
    detail: dict[str, object] = {
        "rate": config.rate,
        "held_out": float(np.mean([one.facts.alarms for one in clouds.values()])),
        "held_out_groups": min(one.facts.groups for one in clouds.values()),
        "answers": len(above),
        "unread": dict(samples.unread),
        "clusters": len(set(clusters)),
        "seeds": [float((samples.distances[seed] > one.facts.threshold).mean()) for seed, one in clouds.items()],
    }
    value = float(share.mean())
    yield measured(MEANINGS["outside_share"], value, n=len(names), interval=interval, detail=detail)
    yield excess(share, clusters, clouds, config)
    yield from by_category(samples, clouds, config)


def by_prompt(above: Array, prompts: Sequence[str], clusters: Sequence[str]) -> tuple[list[str], Array, list[str]]:
    """Each prompt with its share and its group: the promise is of prompts, however many samples each has."""
    names = list(dict.fromkeys(prompts))
    places = {name: place for place, name in enumerate(names)}
    codes = np.array([places[name] for name in prompts])
    group = dict(zip(prompts, clusters, strict=True))
    return names, np.bincount(codes, weights=above) / np.bincount(codes), [group[name] for name in names]


def excess(share: Array, clusters: Sequence[str], clouds: Mapping[int, FitCloud], config: FitConfig) -> Finding:
    """The share less the rate; the threshold is known as well as its held-out prompt groups let it be."""
    meaning, value = MEANINGS["outside_excess"], float(share.mean()) - config.rate
    found = cluster_mean(share, cluster_codes(clusters))
    n = len(share)
    if isinstance(found, Unknown) or found.variance is None:
        alone = Unknown("all prompts are of one group, so nothing is known about others")
        return measured(meaning, value, n=n, interval=alone, detail={"clusters": 1})
    # Seeds share their held-out answers, so that their thresholds err together: the largest error of one, not a mean.
    held = max(clouds.values(), key=lambda one: one.facts.alarm_variance).facts
    # Nothing outside is no proof that nothing could be: the spread of held-out groups is the least.
    least = held.alarm_variance * held.groups / found.clusters
    parts = (max(found.variance, least), found.freedom), (held.alarm_variance, held.groups - 1)
    whole = sum(part for part, _ in parts)
    freedom = whole**2 / sum(part**2 / free for part, free in parts)
    half = float(special.stdtrit(freedom, 0.5 + config.level / 2)) * math.sqrt(whole)
    interval = Interval(
        low=max(value - half, -config.rate), high=min(value + half, 1 - config.rate), level=config.level,
        method="t, clustered by prompt group, with the threshold's own error",
    )  # fmt: skip
    verdict: Judgement = "problem" if interval.low > 0 else "ok"
    detail = {"rate": config.rate, "clusters": found.clusters, "held_out_groups": held.groups}
    return measured(meaning, value, n=n, interval=interval, verdict=verdict, detail=detail)


def by_category(samples: MeasuredSamples, clouds: Mapping[int, FitCloud], config: FitConfig) -> Iterator[Finding]:
    """Each category of the samples by its own threshold where there is one."""
    for name in sorted({one for one in samples.categories if one is not None}):
        places = [place for place, one in enumerate(samples.categories) if one == name]
        above = np.mean([samples.distances[seed][places] > one.threshold(name) for seed, one in clouds.items()], axis=0)
        prompts, clusters = ([of[place] for place in places] for of in (samples.prompts, samples.clusters))
        names, share, groups = by_prompt(above, prompts, clusters)
        interval, _ = cluster_score(share, cluster_codes(groups), level=config.level)
        own = all(name in one.facts.thresholds for one in clouds.values())
        detail = {
            "rate": config.rate, "threshold": "of the category" if own else "of all categories",
            "clusters": len(set(groups)), "answers": len(places),
        }  # fmt: skip
        yield measured(
            MEANINGS["outside_share"], float(share.mean()), n=len(names), interval=interval, slice=category(name),
            detail=detail,
        )  # fmt: skip
