"""What every remedy is tried on, what is measured of one, and the runs that scorers are made of.

Knows folders, pairs and numbers; trains and scores nothing. Shapes: M pairs that a probe changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from assay.artifacts.run_models import seeds_with
from assay.audits.scores_table import Aligned
from assay.data import PairSet
from assay.errors import ConfigError
from assay.flows.remedy_config import RemediesConfig
from assay.flows.remedy_names import NONE, OF_TWO_BASES, SECOND_BASE, SLICE_FILE, Seeds, training_slice
from assay.flows.remedy_pressure import BestOfN, CandidatesFile, Searched
from assay.records import Pair
from assay.scorers.local import Passes
from assay.scorers.recorded import read_scored_pairs
from assay.stats.intervals import Codes
from assay.stats.seed_variance import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What every remedy is tried on. candidates: None where no gold at best of n is asked for.

    elsewhere: pairs with a winner from outside these data, and their prompt groups, on which accuracy is told too.
    """

    source: str | Path
    out: Path
    config: RemediesConfig
    found: PairSet
    candidates: CandidatesFile | None = None
    elsewhere: Sequence[tuple[Pair, str]] = ()
    command: str = ""

    @property
    def passes(self) -> Passes:
        return Passes(sharing=self.config.train.sharing)

    def pairs_of(self, run_folder: Path) -> list[tuple[Pair, str]]:
        """The held-out pairs of a run with their prompt groups, in the order of its scores."""
        known = {pair.id: (pair, group) for pair, group in zip(self.found.pairs, self.found.groups, strict=True)}
        first = min(run_folder.glob("seed-[0-9]*/scores.jsonl"))
        return [known[one.pair_id] for one in read_scored_pairs(first)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRate:
    """How often the reward did what it must not. place: of each pair among the held-out ones, (M,)."""

    place: Codes
    did: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One remedy by itself. why_not: why there is none of it. notes: what could not be measured of it and why, and
    seeds that learned nothing.

    seconds: of training, by seed; passes: models run for one reward; pairs: trained on.
    """

    name: str
    kind: Literal["training", "scorer"]
    settings: Mapping[str, JsonValue]
    why_not: str | None = None
    aligned: Aligned | None = None
    elsewhere: Aligned | None = None
    probes: Mapping[str, ProbeRate] = field(default_factory=dict)
    best: BestOfN | None = None
    pressed: Searched | None = None
    notes: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()
    passes: int | None = None
    pairs: int | None = None


def same_held_out(trial: Trial) -> None:
    """Raises ConfigError where the second base's run holds out other pairs: nothing of it could be paired, and a model
    may have been trained on what the other is measured on."""
    first, second = ([pair.id for pair, _ in trial.pairs_of(trial.out / name)] for name in (NONE, SECOND_BASE))
    if first != second:
        raise ConfigError(
            f"{trial.config.bases.second} splits its rows into other tokens, so that other pairs are too long and "
            f"{len(set(second) - set(first))} of {len(second)} held-out pairs are others. Raise model.max_tokens, now "
            f"{trial.config.model.max_tokens}, until neither base drops any."
        )


def with_second_base(trial: Trial, name: str, seeds: Seeds) -> Seeds:
    """The seeds, with those of the second base for what is made of both. Raises ConfigError where there are none."""
    if name not in OF_TWO_BASES:
        return seeds
    models = models_of(trial, trial.out / SECOND_BASE)
    if not models:
        raise ConfigError(f"there is no run on {trial.config.bases.second}: see the row {SECOND_BASE}.")
    same_held_out(trial)
    return replace(seeds, second=models)


def seeds_of(trial: Trial, run_folder: Path) -> Seeds:
    """The run without a remedy, as scorers are made of it; writes the slice of its training side."""
    held = frozenset(pair.id for pair, _ in trial.pairs_of(run_folder))
    both = zip(trial.found.pairs, trial.found.groups, strict=True)
    training = [(pair, group) for pair, group in both if pair.id not in held]
    file = trial.out / SLICE_FILE
    return Seeds(
        folder=run_folder, models=models_of(trial, run_folder), training=training,
        slice=training_slice(training, file),
        slice_file=file, out=trial.out, passes=trial.passes,
    )  # fmt: skip


def models_of(trial: Trial, run_folder: Path) -> dict[int, Path]:
    """The folder of each seed's model; empty where the run was not made, or not to its end."""
    models = seeds_with(run_folder, "model")
    seeds = trial.config.train.seeds
    return {seed: models[seed] for seed in seeds} if set(seeds) <= set(models) else {}
