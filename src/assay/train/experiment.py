"""What an experiment is: options, seed, data and base, by value or by hash. Knows no training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from assay.artifacts.files import differences, dumps
from assay.config import StageConfig
from assay.errors import ArtifactError
from assay.records import Pair

# These change what is stored or shown on the way, and no weight: they may differ between two starts of one seed.
FREE = ("report_to", "save_every", "seeds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Everything the final weights and scores depend on; two starts of equal experiments end with equal weights.

    options: groups of options by name. base: fingerprint of the base model. data: hashes by name.
    """

    options: Mapping[str, StageConfig]
    seed: int
    base: str
    data: Mapping[str, str]

    @property
    def identity(self) -> dict[str, JsonValue]:
        """The experiment as train.json and checkpoints hold it."""
        return {
            **{name: group.model_dump(mode="json", exclude=set(FREE)) for name, group in self.options.items()},
            "seed": self.seed,
            "base": self.base,
            "data": dict(self.data),
        }


def refuse_other(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue], *, where: Path) -> None:
    """Raises ArtifactError that names what differs between the identities of two experiments."""
    changed = differences(before, now)
    if changed:
        raise ArtifactError(
            f"{where} belongs to another experiment: {'; '.join(changed[:4])}. "
            "Give another folder (out), or delete this one to start afresh."
        )


def hash_pairs(pairs: Sequence[Pair]) -> str:
    """`sha256:...` of pairs in their order: ids, texts, labels, votes, margins and weights; not where they were read.

    A weight of 1 is not told, so that pairs without weights have the hash they had before there were any.
    """
    digest = hashlib.sha256()
    for pair in pairs:
        told = [pair.id, pair.prompt, pair.chosen, pair.rejected, pair.label, pair.votes, pair.margin]
        digest.update(dumps(told if pair.weight == 1 else [*told, pair.weight]))
        digest.update(b"\n")
    return "sha256:" + digest.hexdigest()
