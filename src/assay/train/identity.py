"""What an experiment is: the recipe, the seed, the data and the base, by value or by hash. Knows no training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from assay.artifacts.files import dumps
from assay.config import StageConfig
from assay.records import Pair

# These change what is stored or shown on the way, and no weight: they may differ between two starts of one seed.
FREE = {"seeds", "report_to", "save_every"}


def identity_of(
    recipe: Mapping[str, StageConfig], *, seed: int, base: str, data: Mapping[str, Sequence[Pair]]
) -> dict[str, Any]:
    """Everything the final weights and scores depend on; two starts with equal identities end with equal weights.

    base: fingerprint of the base model. data: lists of pairs by name, of which the identity holds the hashes.
    """
    return {
        **{name: config.model_dump(mode="json", exclude=FREE) for name, config in recipe.items()},
        "seed": seed,
        "base": base,
        "data": {name: hash_pairs(pairs) for name, pairs in data.items()},
    }


def hash_pairs(pairs: Sequence[Pair]) -> str:
    """`sha256:...` of pairs in their order: ids, texts, labels, votes and margins; not where they were read from."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(dumps([pair.id, pair.prompt, pair.chosen, pair.rejected, pair.label, pair.votes, pair.margin]))
        digest.update(b"\n")
    return "sha256:" + digest.hexdigest()
