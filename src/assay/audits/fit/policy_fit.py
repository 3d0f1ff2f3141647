"""How a reward fits a policy, whole: samples, pairs and clouds in, findings, shifts and what each cloud said out.

Knows its parts; computes nothing itself and knows no scorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.artifacts.fit_body import CloudBody, ShiftRow
from assay.audits.fit.answer_shift import Side, shift_findings, shift_rows
from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_cloud import FitCloud
from assay.audits.fit.fit_meanings import MEANINGS
from assay.audits.fit.outside import MeasuredSamples, outside_findings
from assay.audits.fit.told_apart import SampledPrompt, told_apart
from assay.findings.finding import Finding, unknown
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPairs:
    """Answers of the pairs: those trained on, and held-out ones with their rewards."""

    training: Side
    held_out: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFit:
    """What was found."""

    findings: tuple[Finding, ...]
    shifts: tuple[ShiftRow, ...]


def policy_fit(
    prompts: Sequence[SampledPrompt],
    pairs: KnownPairs | Unknown,
    measured_samples: MeasuredSamples | Unknown,
    clouds: Mapping[int, FitCloud],
    config: FitConfig,
) -> PolicyFit:
    """Everything that samples say without labels. pairs: answers of the pairs, or why none are known."""
    findings = list(told_apart(prompts, config))
    findings += outside_findings(measured_samples, clouds, config)
    samples = samples_side(prompts)
    if isinstance(pairs, Unknown) or not samples.texts:
        why = pairs.reason if isinstance(pairs, Unknown) else "no sample has a reward"
        findings += [unknown(MEANINGS[name], why) for name in ("reward_shift", "length_shift", "style_shift")]
        return PolicyFit(findings=tuple(findings), shifts=())
    rows = shift_rows(samples, pairs.training, pairs.held_out, config)
    findings += shift_findings(rows, samples, pairs.held_out)
    return PolicyFit(findings=tuple(findings), shifts=tuple(rows))


def samples_side(prompts: Sequence[SampledPrompt]) -> Side:
    """All samples, one entry each; of several seeds the mean reward."""
    return Side(
        texts=[text for one in prompts for text in one.texts],
        clusters=[one.cluster for one in prompts for _ in one.texts],
        rewards=np.concatenate([np.empty(0), *(one.rewards.mean(axis=0) for one in prompts)]),
    )


def cloud_bodies(samples: MeasuredSamples, clouds: Mapping[int, FitCloud], paths: Mapping[int, str]) -> list[CloudBody]:
    """What each seed's cloud is and said."""
    return [
        CloudBody(
            seed=seed,
            path=paths[seed],
            answers=one.facts.points,
            dimensions=len(one.cloud.scale),
            shrunk=one.facts.shrunk,
            centres=one.facts.names,
            threshold=one.facts.threshold,
            held_out=one.facts.held_out,
            groups=one.facts.groups,
            samples=len(samples.prompts),
            outside=float((samples.distances[seed] > one.facts.threshold).mean()),
            distance=float(np.median(samples.distances[seed])),
            distance_held_out=one.facts.median,
        )
        for seed, one in clouds.items()
        if len(samples.prompts)
    ]
