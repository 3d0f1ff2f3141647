"""The cloud of answers a reward knows, with a threshold that held-out answers exceed at a stated rate, as one file.

1) the cloud is fitted to states of training answers; 2) the threshold is found on held-out answers of other prompts,
which the cloud has not seen: distances of what it was fitted to are too short; 3) both stand in a .npz beside the
model, so that whoever serves the model can ask of each answer whether it lies outside. No pickles in it.
Knows states and prompt groups; knows no model. Letters: N answers, H state, C centres, R directions.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from assay.artifacts.files import atomic_write, dumps
from assay.audits.fit.config import FitConfig
from assay.errors import ArtifactError
from assay.stats.false_alarms import alarm_threshold
from assay.stats.intervals import Array, cluster_codes
from assay.stats.mahalanobis import Cloud, fit_cloud
from assay.stats.unknown import Unknown

FILE = "fit.npz"
ARRAYS = ("centres", "scale", "directions", "variances")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownAnswers:
    """Answers of the pairs that could be read: their places among those asked about, rewards, (N,), states, (N, H), and
    the prompt group and category of each."""

    places: Sequence[int]
    rewards: npt.NDArray[np.floating]
    states: npt.NDArray[np.floating]
    clusters: Sequence[str]
    categories: Sequence[str | None]


class CloudFacts(BaseModel):
    """What the file says beside its arrays.

    key: hash of what it was made from. model: fingerprint. thresholds: of the categories that have one of their own.
    alarms, alarm_variance: mean over held-out prompt groups of the share outside, and the variance of that mean.
    median: of the held-out distances.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    model: str
    rate: float
    threshold: float
    thresholds: dict[str, float]
    names: list[str]
    held_out: int
    groups: int
    alarms: float
    alarm_variance: float
    median: float
    shrunk: float
    rest: float
    points: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Held-out answers: places among those asked about, rewards and distances, all (N,)."""

    places: npt.NDArray[np.integer]
    rewards: Array
    distances: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitCloud:
    """A cloud and its threshold. `distances` and `outside` are all that a server needs of it.

    held_out: which of the held-out answers could be read, by place, (N,), with their rewards and distances.
    """

    SCHEMA: ClassVar[str] = "fit-cloud/1"

    cloud: Cloud
    facts: CloudFacts
    held_out: HeldOut

    def distances(self, states_NH: npt.ArrayLike) -> Array:
        """Of each answer to the nearest centre, (N,). Raises ArtifactError for states of another width."""
        states = np.asarray(states_NH, dtype=np.float64)
        if states.ndim != 2 or states.shape[1] != len(self.cloud.scale):
            raise ArtifactError(
                f"states of shape {states.shape} beside a cloud of {len(self.cloud.scale)} dimensions: it is of "
                "another model. Make it again with `assay optimise`."
            )
        return self.cloud.distances(states)

    def threshold(self, category: str | None) -> float:
        """Of a category where it has one of its own, else of all."""
        return self.facts.thresholds.get(category or "", self.facts.threshold)

    def outside(self, states_NH: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each answer lies outside what the reward knows, (N,)."""
        return np.asarray(self.distances(states_NH) > self.facts.threshold)

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        told = dumps({"schema": self.SCHEMA, **self.facts.model_dump(mode="json")})
        # float32: what the model gave; half the bytes.
        arrays = {name: np.asarray(getattr(self.cloud, name), dtype=np.float32) for name in ARRAYS}
        arrays |= {f"held_out_{one.name}": np.asarray(getattr(self.held_out, one.name)) for one in fields(HeldOut)}
        with atomic_write(path) as stream:
            np.savez(stream, facts=np.frombuffer(told, dtype=np.uint8), **arrays)  # type: ignore[arg-type]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises ArtifactError where the file is missing, torn or not what it should be."""
        again = "Delete it and run `assay optimise` again."
        try:
            # Opened here: numpy leaves a torn file open.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
                told = dict(orjson.loads(held["facts"].tobytes()))
                arrays = {name: np.asarray(held[name], dtype=np.float64) for name in ARRAYS}
                known = HeldOut(**{one.name: held[f"held_out_{one.name}"] for one in fields(HeldOut)})
        except FileNotFoundError:
            raise ArtifactError(f"{path} is missing: `assay optimise` writes it.") from None
        except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ArtifactError(f"{path} is no fit cloud ({error}). {again}") from None
        if (schema := told.pop("schema", None)) != cls.SCHEMA:
            raise ArtifactError(f'{path} has schema {schema!r}; this assay reads "{cls.SCHEMA}". {again}')
        try:
            facts = CloudFacts.model_validate(told)
        except ValidationError as error:
            first = error.errors()[0]
            raise ArtifactError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}. {again}") from None
        width, kept = len(arrays["scale"]), len(arrays["variances"])
        if arrays["centres"].shape[1:] != (width,) or arrays["directions"].shape != (kept, width):
            raise ArtifactError(f"{path}: its arrays do not fit together. {again}")
        cloud = Cloud(**arrays, rest=facts.rest, shrunk=facts.shrunk, points=facts.points)
        return cls(cloud=cloud, facts=facts, held_out=known)


def known_cloud(
    training: KnownAnswers, held_out: KnownAnswers, config: FitConfig, *, model: str, key: str
) -> FitCloud | Unknown:
    """The cloud of training answers, with the threshold that held-out answers exceed at `config.rate`.

    Unknown where all states are equal, or where fewer prompt groups are held out than the rate takes.
    """
    names, codes = centres_of(training.categories, config.per_category)
    cloud = fit_cloud(training.states, codes, directions=config.directions)
    if isinstance(cloud, Unknown):
        return Unknown(f"{cloud.reason}: hidden states of training answers")
    # As the file will hold it: a cloud read back must give the very alarms it was calibrated with.
    cloud = replace(
        cloud,
        centres=kept(cloud.centres),
        scale=kept(cloud.scale),
        directions=kept(cloud.directions),
        variances=kept(cloud.variances),
    )
    distances = cloud.distances(held_out.states)
    threshold = alarm_threshold(distances, held_out.clusters, rate=config.rate)
    if isinstance(threshold, Unknown):
        return threshold
    shares = shares_above(distances > threshold, held_out.clusters)
    facts = CloudFacts(
        key=key,
        model=model,
        rate=config.rate,
        threshold=threshold,
        thresholds=category_thresholds(distances, held_out, config),
        names=names,
        held_out=len(distances),
        groups=len(shares),
        alarms=float(shares.mean()),
        alarm_variance=float(shares.var(ddof=1)) / len(shares),
        median=float(np.median(distances)),
        shrunk=cloud.shrunk,
        rest=cloud.rest,
        points=cloud.points,
    )
    known = HeldOut(
        places=np.asarray(held_out.places, dtype=np.int64),
        rewards=np.asarray(held_out.rewards, dtype=np.float64),
        distances=distances,
    )
    return FitCloud(cloud=cloud, facts=facts, held_out=known)


def kept(array: Array) -> Array:
    return array.astype(np.float32).astype(np.float64)


def centres_of(categories: Sequence[str | None], fewest: int) -> tuple[list[str], list[int]]:
    """Names of the categories with a centre of their own, and the centre of each answer; the others share one."""
    counts = Counter(name for name in categories if name is not None)
    names = sorted(name for name, count in counts.items() if count >= fewest)
    others = [name for name in categories if name not in names]
    # Two centres are what a category is told by; one category alone is everything.
    if not names or (len(names) == 1 and not others):
        return [], [0] * len(categories)
    places = {name: place for place, name in enumerate(names)}
    return names, [places.get(name or "", len(names)) for name in categories]


def category_thresholds(distances: Array, held_out: KnownAnswers, config: FitConfig) -> dict[str, float]:
    """Of each category whose held-out prompt groups are enough for the rate to mean something there."""
    found = {}
    for name in sorted({one for one in held_out.categories if one is not None}):
        places = [place for place, one in enumerate(held_out.categories) if one == name]
        clusters = [held_out.clusters[place] for place in places]
        if len(set(clusters)) * config.rate < 2:  # fewer, and the threshold is the largest or second largest value
            continue
        threshold = alarm_threshold(distances[places], clusters, rate=config.rate)
        if not isinstance(threshold, Unknown):
            found[name] = threshold
    return found


def shares_above(above: npt.NDArray[np.bool_], clusters: Sequence[str]) -> Array:
    """Of each prompt group the share of its answers that are above."""
    codes = cluster_codes(clusters)
    return np.asarray(np.bincount(codes, weights=above) / np.bincount(codes))
