"""From a reward, samples and the pairs it was trained on to fit.json: what samples say without any label.

1) what the reward was trained on is looked up; 2) per seed the cloud of these answers is made, or read where it stands
beside the model; 3) a few samples a prompt are measured against it; 4) the parts of `audits/fit` are asked. Called by
`assay optimise`, which has scored the samples already. Knows the order of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.artifacts.fit_body import FIT, FitBody
from assay.audits.fit.answer_shift import Side
from assay.audits.fit.config import FitConfig
from assay.audits.fit.outside import MeasuredSamples
from assay.audits.fit.policy_fit import KnownPairs, cloud_bodies, policy_fit
from assay.audits.fit.told_apart import SampledPrompt
from assay.data.config import DataConfig
from assay.errors import AssayError
from assay.flows.fit_distances import LookedAt, Measuring, laid_out, measure
from assay.flows.fit_pairs import FitPairs, fit_pairs
from assay.records import Candidates, plain_text
from assay.scorers.ensemble import EnsembleScorer
from assay.scorers.protocol import Scorer
from assay.scorers.unfinished_rows import unfinished_rows
from assay.stats.draws import stream
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown
from assay.version import __version__

Notify = Callable[[str], None]
Known = float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Candidates with what each seed of the reward gave every answer, and the prompt group of each.

    scored: the file that holds the rewards, for what a scorer of several says of its members.
    """

    groups: Sequence[Candidates]
    clusters: Sequence[str]
    rewards: Mapping[int, Sequence[Sequence[Known]]]
    scored: Path


def fit_to_policy(
    proxies: Mapping[int, Scorer],
    samples: Samples,
    out: Path,
    *,
    config: FitConfig,
    data: DataConfig,
    notify: Notify = lambda _line: None,
) -> FitBody:
    """What the samples say of the reward; `out` gets fit.json, and the run's seeds (or `out`) their clouds.

    Raises what reading pairs that were named raises. What cannot be had otherwise is Unknown in the findings.
    """
    pairs = fit_pairs(proxies, config, data)
    looked = looked_at(samples, config)
    found = measure(proxies, pairs, looked, out=out, config=config, notify=notify)
    measured_samples: MeasuredSamples | Unknown
    measured_samples = found.missing if found.missing is not None else laid_out(looked, found)
    known = pairs if isinstance(pairs, Unknown) else known_sides(proxies, pairs, found, out, notify)
    fit = policy_fit(sampled_prompts(proxies, samples), known, measured_samples, found.clouds, config)
    body = FitBody(
        prompts=len(samples.groups),
        answers=sum(len(group.answers) for group in samples.groups),
        against={} if isinstance(pairs, Unknown) else {name: str(one) for name, one in pairs.against.items()},
        clouds=[] if isinstance(measured_samples, Unknown) else cloud_bodies(
            measured_samples, found.clouds, found.paths
        ),
        shifts=list(fit.shifts),
        findings=[one.to_body() for one in fit.findings],
        notes=[*(() if isinstance(pairs, Unknown) else pairs.notes), *few_answers(found)],
        inputs={f"seed {seed}": one.fingerprint for seed, one in proxies.items()},
        config=config.model_dump(mode="json"),
        assay_version=__version__,
    )  # fmt: skip
    body.write(out / FIT)
    return body


def looked_at(samples: Samples, config: FitConfig) -> list[LookedAt]:
    """At most `config.answers` samples of each prompt, drawn: picks by the reward would be no samples of the policy."""
    found = []
    for group, cluster in zip(samples.groups, samples.clusters, strict=True):
        order = stream(config.seed, f"fit: samples of {group.id}").permutation(len(group.answers))[: config.answers]
        found += [
            LookedAt(
                prompt_id=group.id, row=(group.prompt, group.answers[int(place)]), cluster=cluster,
                category=group.category,
            )
            for place in sorted(order)
        ]  # fmt: skip
    return found


def known_sides(
    proxies: Mapping[int, Scorer], pairs: FitPairs, found: Measuring, out: Path, notify: Notify
) -> KnownPairs:
    """Texts of training answers, and held-out answers with their rewards: as clouds hold them, else asked for."""
    places, rewards = held_out_rewards(proxies, pairs, found, out, notify)
    kept = [pairs.held_out[place] for place in places]
    return KnownPairs(
        training=Side(
            texts=[plain_text(one.answer) for one in pairs.training],
            clusters=[one.cluster for one in pairs.training],
            rewards=Unknown("they were trained on"),
        ),
        held_out=Side(
            texts=[plain_text(one.answer) for one in kept], clusters=[one.cluster for one in kept], rewards=rewards
        ),
    )


def held_out_rewards(
    proxies: Mapping[int, Scorer], pairs: FitPairs, found: Measuring, out: Path, notify: Notify
) -> tuple[list[int], Array | Unknown]:
    """Places of the held-out answers that every seed gave a reward, and the mean over seeds."""
    by_seed: list[dict[int, float]] = []
    for seed, scorer in proxies.items():
        if seed in found.clouds:
            held = found.clouds[seed].held_out
            by_seed.append(dict(zip(held.places.tolist(), held.rewards.tolist(), strict=True)))
            continue
        groups = [
            Candidates(id=f"held-out-{place}", prompt=one.prompt, answers=(one.answer,), category=one.category)
            for place, one in enumerate(pairs.held_out)
        ]
        notify(f"fit: {scorer.name}: {len(groups):,} held-out answers of the pairs are scored for comparison")
        try:
            rows = list(unfinished_rows(scorer, groups, out / "scored.jsonl"))
        except AssayError as error:  # recorded scores, say, which hold no others
            return [], Unknown(f"the held-out answers of the pairs could not be scored: {error}")
        by_seed.append({place: row["scores"][0] for place, row in enumerate(rows) if row["scores"][0] is not None})
    places = sorted(set.intersection(*(set(one) for one in by_seed)))
    if not places:
        return [], Unknown("no held-out answer of the pairs has a reward")
    return places, np.array([[one[place] for place in places] for one in by_seed]).mean(axis=0)


def sampled_prompts(proxies: Mapping[int, Scorer], samples: Samples) -> list[SampledPrompt]:
    """Each prompt with the answers that every seed scored."""
    members = member_rewards(proxies, samples)
    found = []
    for place, group in enumerate(samples.groups):
        rows = [several[place] for several in samples.rewards.values()]
        kept = [at for at in range(len(group.answers)) if all(isinstance(row[at], float) for row in rows)]
        if not kept:
            continue
        raters = members.get(place)
        found.append(
            SampledPrompt(
                texts=[plain_text(group.answers[at]) for at in kept],
                cluster=samples.clusters[place],
                category=group.category,
                rewards=np.array([[row[at] for at in kept] for row in rows], dtype=np.float64),
                raters=None if raters is None else raters[:, kept],
            )
        )
    return found


def member_rewards(proxies: Mapping[int, Scorer], samples: Samples) -> dict[int, Array]:
    """What each member of an ensemble gave, (R, N) by place of the group; empty for what is no ensemble."""
    (scorer,) = list(proxies.values())[:1]
    if len(proxies) > 1 or not isinstance(scorer, EnsembleScorer):
        return {}
    found = {}
    # Read back and not asked again: the file holds them from when the samples were scored.
    for place, row in enumerate(unfinished_rows(scorer, samples.groups, samples.scored)):
        heads = row.get("heads")
        if heads is None:
            continue
        found[place] = np.array(
            [[np.nan if one is None else one[name] for one in heads] for name in scorer.members], dtype=np.float64
        )
    return found if len(found) == len(samples.groups) else {}


def few_answers(found: Measuring) -> list[str]:
    """What a reader of the distances should know of their cloud."""
    return [
        f"seed {seed}: {one.facts.points:,} training answers in {len(one.cloud.scale):,} dimensions, so the covariance "
        f"was shrunk by {100 * one.facts.shrunk:.0f}%"
        for seed, one in found.clouds.items()
        if one.facts.points < len(one.cloud.scale)
    ]
