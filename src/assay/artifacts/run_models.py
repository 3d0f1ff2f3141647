"""Which models a run folder holds, one a seed, and which of them somebody means who names the run or a folder in it.

A copy beside a seed ("seed-0-old") is none of the run's. Knows names of folders; reads no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError

_SEED = re.compile(r"seed-(0|[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOfARun:
    """One seed's model of a run folder. seeds: how many of them have a model."""

    run: Path
    seed: int
    seeds: int

    @property
    def folder(self) -> Path:
        return self.run / f"seed-{self.seed}" / "model"


def seed_of(folder: Path) -> int | None:
    """The seed whose folder this is by its name, or None.

    >>> [seed_of(Path(name)) for name in ("runs/a/seed-12", "seed-0-old", "seed-007")]
    [12, None, None]
    """
    found = _SEED.fullmatch(folder.name)
    return None if found is None else int(found[1])


def seeds_with(run: Path, name: str) -> dict[int, Path]:
    """Of each seed of a run whose folder has something called `name`, its path, by seed in rising order."""
    found = {seed_of(path.parent): path for path in run.glob(f"seed-*/{name}")}
    return {seed: found[seed] for seed in sorted(one for one in found if one is not None)}


def model_of_a_run(folder: Path | str, seed: int | None = None) -> ModelOfARun | None:
    """The model that a run folder, or a seed's model folder in one, stands for; None where it is neither.

    Raises InputError for a run of several seeds where none is named, or of a seed it has not.
    """
    place = Path(folder).expanduser()
    inside = seed_of(place.parent) if place.name == "model" and (place.parent / "train.json").is_file() else None
    if inside is not None:
        place, seed = place.parent.parent, inside if seed is None else seed
    seeds = [*seeds_with(place, "model")]
    if not seeds:
        return None
    named = ", ".join(map(str, seeds))
    if seed is None and len(seeds) > 1:
        raise InputError(
            f"{folder} is a run of {len(seeds)} seeds ({named}), each a reward of its own: name one (seed=)."
        )
    if seed is not None and seed not in seeds:
        raise InputError(f"{folder} has no model of seed {seed}; it has {named}.")
    return ModelOfARun(run=place, seed=seeds[0] if seed is None else seed, seeds=len(seeds))
