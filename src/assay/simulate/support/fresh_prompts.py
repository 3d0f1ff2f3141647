"""Prompts of the desk that no training pair has: drawn from a random stream of their own, whatever the seed.

Prompt k is the same however many are drawn. Those whose case cannot be read for certain (one request in five hundred,
where the account says two things) are passed over, since no text under them would have a true worth.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from assay.errors import ConfigError
from assay.simulate.random_values import simulation_stream
from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.reading.read_case import ReadCase, read_case


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPrompt:
    """One prompt. category: of the case it was drawn as. id: of what it says."""

    id: str
    prompt: str
    category: str


def fresh_prompts(count: int, *, seed: int = 0) -> list[FreshPrompt]:
    """So many prompts, the categories in turn. Raises ConfigError for a count under 1."""
    if count < 1:
        raise ConfigError(f"{count} fresh prompts were asked for; ask for at least 1.")
    # "cases/..." are the streams of training pairs: these names are others, so that no draw is shared with them.
    streams = {name: _readable(name, simulation_stream(seed, f"fresh prompts/{name}")) for name in CATEGORIES}
    return [next(streams[name]) for name in islice(cycle(CATEGORIES), count)]


def _readable(category: str, rng: random.Random) -> Iterator[FreshPrompt]:
    while True:
        prompt = CATEGORIES[category](rng, 2).prompt
        if isinstance(read_case(prompt), ReadCase):
            name = hashlib.blake2b(prompt.encode(), digest_size=6).hexdigest()
            yield FreshPrompt(id=f"fresh-{name}", prompt=prompt, category=category)
