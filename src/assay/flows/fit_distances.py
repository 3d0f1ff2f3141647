"""How far samples lie from what a reward was trained on: each seed's cloud made or read, samples measured by it.

The cloud stands beside the model of a run, and is made anew where it was made from other answers, another model or
with other options. Knows models and pairs; knows no finding.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.artifacts.files import sha256_json
from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_cloud import FILE, FitCloud, KnownAnswers, known_cloud
from assay.audits.fit.outside import MeasuredSamples
from assay.errors import ArtifactError, ModelError
from assay.flows.fit_pairs import FitPairs, PairAnswer
from assay.records import Text, to_json
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Scorer
from assay.stats.unknown import Unknown

ROWS = 1024  # samples run between two words on how far it is
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """One sample whose distance is measured."""

    prompt_id: str
    row: tuple[Text, Text]
    cluster: str
    category: str | None


@dataclass(slots=True, kw_only=True)
class Measuring:
    """What has been measured so far. clouds, distances: by seed; missing: why there are none."""

    clouds: dict[int, FitCloud] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)
    distances: dict[int, dict[tuple[Text, Text], float]] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    missing: Unknown | None = None


def measure(
    proxies: Mapping[int, Scorer],
    pairs: FitPairs | Unknown,
    looked: Sequence[LookedAt],
    *,
    out: Path,
    config: FitConfig,
    notify: Notify,
) -> Measuring:
    """Each seed's cloud, and the distance of the samples to it."""
    found = Measuring(missing=why_not(proxies, pairs, config))
    if found.missing is not None or isinstance(pairs, Unknown):
        return found
    rows = list(dict.fromkeys(one.row for one in looked))
    for seed, scorer in proxies.items():
        assert isinstance(scorer, LocalScorer)
        path = cloud_path(scorer, pairs, out, seed)
        try:
            cloud = cloud_of(scorer, pairs, path, config, notify)
            if isinstance(cloud, Unknown):
                return Measuring(missing=cloud)
            found.clouds[seed], found.paths[seed] = cloud, str(path)
            found.distances[seed] = distances_of(scorer, cloud, rows, found.unread, notify)
        except ModelError as error:
            return Measuring(missing=Unknown(f"{scorer.name} has no hidden states to measure by: {error}"))
        finally:
            scorer.forget()  # the next seed is as large
    return found


def why_not(proxies: Mapping[int, Scorer], pairs: FitPairs | Unknown, config: FitConfig) -> Unknown | None:
    """Why no distance can be measured, before any model is run."""
    other = next((one for one in proxies.values() if not isinstance(one, LocalScorer)), None)
    if other is not None:
        return Unknown(
            f"{other.name} is no model on this machine, so what its head reads is not available; only reward, length "
            "and style are compared"
        )
    if isinstance(pairs, Unknown):
        return pairs
    if config.answers == 0:
        return Unknown("fit.answers is 0, so no distance was measured")
    if not pairs.training or not pairs.held_out:
        return Unknown("there are no training answers, or none that were held out")
    return None


def cloud_path(scorer: LocalScorer, pairs: FitPairs, out: Path, seed: int) -> Path:
    """Beside the model of a run, where a server finds it; of other models, and where that may not be written to, in the
    folder of this command."""
    model = Path(scorer.model).expanduser()
    beside = pairs.run is not None and model.is_dir() and os.access(model.parent, os.W_OK)
    return model.parent / FILE if beside else out / f"fit-{seed}.npz"


def cloud_of(scorer: LocalScorer, pairs: FitPairs, path: Path, config: FitConfig, notify: Notify) -> FitCloud | Unknown:
    """The cloud that stands at `path` where it was made from the same, else a new one, which is written there."""
    own = config.model_dump(include={"seed", "rate", "training", "calibration", "directions", "per_category"})
    rows = [
        [[to_json(one.prompt), to_json(one.answer), one.cluster, one.category] for one in side]
        for side in (pairs.training, pairs.held_out)
    ]
    key = sha256_json([FitCloud.SCHEMA, scorer.fingerprint, rows, own])
    try:
        there = FitCloud.read(path)
        if there.facts.key == key:
            return there
    except ArtifactError:
        pass  # missing, torn or of another version: it is made anew
    asked = len(pairs.training) + len(pairs.held_out)
    notify(f"fit: {scorer.name}: what its head reads of {asked:,} answers of the pairs is looked up once")
    sides = [states_of(scorer, side) for side in (pairs.training, pairs.held_out)]
    if not sides[0].places or not sides[1].places:
        return Unknown("no answer of the pairs can be read by the reward")
    made = known_cloud(sides[0], sides[1], config, model=scorer.fingerprint, key=key)
    if isinstance(made, FitCloud):
        made.write(path)
    return made


def states_of(scorer: LocalScorer, answers: Sequence[PairAnswer]) -> KnownAnswers:
    found = scorer.read_states([one.row for one in answers])
    return KnownAnswers(
        places=found.places,
        rewards=found.rewards,
        states=found.states,
        clusters=[answers[place].cluster for place in found.places],
        categories=[answers[place].category for place in found.places],
    )


def distances_of(
    scorer: LocalScorer, cloud: FitCloud, rows: Sequence[tuple[Text, Text]], unread: Counter[str], notify: Notify
) -> dict[tuple[Text, Text], float]:
    """Of each row that can be read; `unread` counts the others by why."""
    distances = {}
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        found = scorer.read_states(part)
        unread.update(one.reason for one in found.unread.values())
        if found.places:
            measured = cloud.distances(found.states)
            distances.update({part[place]: float(one) for place, one in zip(found.places, measured, strict=True)})
        if len(rows) > ROWS:
            notify(f"fit: {scorer.name}: {min(start + ROWS, len(rows)):,} of {len(rows):,} samples measured")
    return distances


def laid_out(looked: Sequence[LookedAt], found: Measuring) -> MeasuredSamples:
    """The samples that every seed could read, one entry each."""
    kept = [one for one in looked if all(one.row in of for of in found.distances.values())]
    return MeasuredSamples(
        prompts=[one.prompt_id for one in kept],
        clusters=[one.cluster for one in kept],
        categories=[one.category for one in kept],
        distances={seed: np.array([of[one.row] for one in kept]) for seed, of in found.distances.items()},
        unread=dict(found.unread),
    )
