"""Which slices the pairs of an audit fall into, by everything that is known of them. Knows pairs; knows no reward.

Slices of one kind may overlap (a pair of two generators is in both) and need not cover all pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from assay.audits.scores_table import Aligned, Mask
from assay.audits.slices.text_language import language_of
from assay.audits.style.source_attributes import Said, both_sides, said
from assay.findings.slice import Slice, category
from assay.records import NO_CATEGORY, Pair, plain_text
from assay.stats.intervals import Array

OfBoth = Mapping[str, tuple[Said, Said]]  # what a source says of (chosen, rejected), by what it is
MOST_VALUES = 200  # of one column: with more it is a name of the row, not a slice
FEWEST_REPEATS = 5  # pairs a value of a words column must have on average to be a slice
# Slices that are harder by their nature: where people hardly agree, nobody can be right more often than they do. They
# are shown, and being below the rest is no alarm.
HARDER_BY_NATURE = frozenset({"agreement", "margin"})


def members(aligned: Aligned) -> list[tuple[Slice, Mask]]:
    """Every slice of some but not all pairs, kind after kind, each in order of name or of size."""
    pairs = aligned.pairs
    of_both = [both_sides(pair.source) if pair.source else {} for pair in pairs]
    once = once_of(pairs, of_both)
    found: list[tuple[Slice, Mask]] = []
    for kind, values in words_of(pairs, once).items():
        found += by_value(kind, values)
    for kind, numbers in numbers_of(aligned, once).items():
        found += by_quarter(kind, numbers)
    found += by_agreement(pairs)
    for kind, sides in sides_of(of_both).items():
        found += by_either_side(kind, sides)
    return [(where, mask) for where, mask in found if mask.any() and not mask.all()]


def words_of(pairs: Sequence[Pair], once: Mapping[str, Sequence[Said]]) -> dict[str, list[str | None]]:
    """Columns of words: category, file, language of the prompt, and what `source` says once of a pair."""
    columns: dict[str, list[str | None]] = {
        "category": [pair.category or NO_CATEGORY for pair in pairs],
        "file": [pair.where.source for pair in pairs],
        "language": languages([plain_text(pair.prompt) for pair in pairs]),
    }
    for key, values in once.items():
        if not all(isinstance(value, float) for value in values if value is not None):
            columns[key] = [None if value is None else str(value) for value in values]
    return columns


def languages(prompts: Sequence[str]) -> list[str | None]:
    """Of each prompt; one that many pairs share is read once."""
    known = {prompt: language_of(prompt) for prompt in set(prompts)}
    return [known[prompt] for prompt in prompts]


def numbers_of(aligned: Aligned, once: Mapping[str, Sequence[Said]]) -> dict[str, Array]:
    """Columns of numbers, NaN where unknown: lengths, the stated strength of preference, numbers in `source`."""
    pairs = aligned.pairs
    columns = {
        "prompt length": np.array([len(plain_text(pair.prompt)) for pair in pairs], dtype=np.float64),
        "answer length": aligned.length.mean(axis=1),
        "margin": np.array([np.nan if pair.margin is None else pair.margin for pair in pairs], dtype=np.float64),
    }
    for key, values in once.items():
        known = [value for value in values if value is not None]
        if all(isinstance(value, float) for value in known):
            columns[key] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return columns


def once_of(pairs: Sequence[Pair], of_both: Sequence[OfBoth]) -> dict[str, list[Said]]:
    """What `source` says of a pair as a whole, by key, one value a pair."""
    keys = sorted({key for pair in pairs for key in pair.source})
    sided = {name for row in of_both for name in row}
    twice = {key for name in sided for key in _sided_keys(name)}
    return {f"source {key}": [said(pair.source.get(key)) for pair in pairs] for key in keys if key not in twice}


def _sided_keys(name: str) -> tuple[str, ...]:
    return name, f"chosen_{name}", f"rejected_{name}", f"{name}_chosen", f"{name}_rejected"


def sides_of(of_both: Sequence[OfBoth]) -> dict[str, list[tuple[str | None, ...]]]:
    """What `source` says of each answer in words, by what it is: generators, say."""
    found: dict[str, list[tuple[str | None, ...]]] = {}
    for name in sorted({name for row in of_both for name in row}):
        given = [row.get(name, (None, None)) for row in of_both]
        if not any(isinstance(side, float) for sides in given for side in sides):
            found[name] = [tuple(None if side is None else str(side) for side in sides) for sides in given]
    return found


def by_value(kind: str, values: Sequence[str | None]) -> list[tuple[Slice, Mask]]:
    counts = Counter(value for value in values if value is not None)
    total = sum(counts.values())
    if not 2 <= len(counts) <= MOST_VALUES or (kind != "category" and total < FEWEST_REPEATS * len(counts)):
        return []
    places = {value: place for place, value in enumerate(sorted(counts))}
    codes = np.array([-1 if value is None else places[value] for value in values])
    return [(_named(kind, value), np.asarray(codes == place)) for value, place in places.items()]


def by_quarter(kind: str, numbers: Array) -> list[tuple[Slice, Mask]]:
    """Quarters of the known numbers, or each number where there are at most five."""
    known = numbers[np.isfinite(numbers)]
    distinct = np.unique(known)
    if distinct.size < 2:
        return []
    if distinct.size <= 5:
        return [(Slice(kind, f"{value:g}"), np.asarray(numbers == value)) for value in distinct]
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
    places = np.where(np.isfinite(numbers), np.searchsorted(edges, numbers, side="left"), -1)
    names = [f"up to {edges[0]:.4g}"]
    names += [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    names.append(f"over {edges[-1]:.4g}")
    return [(Slice(kind, name), np.asarray(places == place)) for place, name in enumerate(names)]


def by_agreement(pairs: Sequence[Pair]) -> list[tuple[Slice, Mask]]:
    """Bands of the share of definite votes that went to the chosen answer, of pairs with two votes at least."""
    shares = np.full(len(pairs), np.nan)
    for place, pair in enumerate(pairs):
        cast = [vote.choice for vote in pair.votes if vote.choice != "abstain"]
        if len(cast) > 1:
            shares[place] = (cast.count("chosen") + 0.5 * cast.count("tie")) / len(cast)
    bands = (("under 2/3", shares < 2 / 3), ("2/3 to under 1", (shares >= 2 / 3) & (shares < 1)), ("all", shares == 1))
    return [(Slice("agreement", name), mask) for name, mask in bands]


def by_either_side(kind: str, sides: Sequence[tuple[str | None, ...]]) -> list[tuple[Slice, Mask]]:
    """Pairs in which the chosen or the rejected answer has the value."""
    counts = Counter(value for pair in sides for value in set(pair) if value is not None)
    if not 2 <= len(counts) <= MOST_VALUES:
        return []
    return [(Slice(kind, value), np.array([value in pair for pair in sides])) for value in sorted(counts)]


def _named(kind: str, value: str) -> Slice:
    return category(value) if kind == "category" else Slice(kind, value)
