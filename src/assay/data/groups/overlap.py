"""What pairs have in common: duplicates, conflicts, prompts that are the same or nearly so, a benchmark's prompts.

1. `OverlapIndex` takes pairs one by one. 2. `repeats` finds rows of one prompt and the same two answers. 3. `groups`
joins pairs by declared group, same prompt and near-duplicate prompts, and names each group.
Knows digests and groups; knows no file. Everything here gives the same result for any order of the pairs, except that
the first of several duplicates is the one kept. Per pair some 60 bytes are held, never its texts.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.artifacts.contract_body import LargestGroup, OverlapReport
from assay.data.groups.near import Near, PromptIndex
from assay.data.groups.shingles import normalised
from assay.records import Pair, Text, plain_text

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
LARGE_SHARE = 0.1  # of all pairs in one group: said by name
LARGE_PAIRS = 50


def digest(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Pairs that are no new pairs: row i repeats row first[i]."""

    duplicate: I64
    conflicting: I64
    first: dict[int, int]

    def keep(self, pairs: int) -> NDArray[np.bool_]:
        """Which of the pairs stay (N,)."""
        stays = np.ones(pairs, dtype=bool)
        stays[np.concatenate([self.duplicate, self.conflicting])] = False
        return stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """group_N: number of each pair's group. names: what the groups are called. near: how prompts were compared."""

    group_N: I64
    names: list[str]
    near: Near | None


class OverlapIndex:
    """Takes pairs one by one, keeps digests, and says at the end what overlaps."""

    def __init__(self, *, near_duplicates: float | None, seed: int) -> None:
        self.threshold, self.seed = near_duplicates, seed
        self.index = PromptIndex()
        self.prompts: dict[int, int] = {}  # digest of a normalised prompt -> its number
        self.declared: dict[str, int] = {}  # name of a group -> its number
        self.prompt_N, self.group_N = array("q"), array("q")
        self.asked_N, self.chosen_N, self.rejected_N = array("q"), array("q"), array("q")
        self.last: tuple[Text, int, int] | None = None

    def __len__(self) -> int:
        return len(self.prompt_N)

    def add(self, pair: Pair) -> None:
        """Note one pair. Texts are compared by Python's own keyed 64-bit hash: it never leaves this process."""
        asked, number = self.number(pair.prompt)
        self.asked_N.append(asked)
        self.chosen_N.append(hash(pair.chosen))
        self.rejected_N.append(hash(pair.rejected))
        self.prompt_N.append(number)
        name = pair.group
        self.group_N.append(-1 if name is None else self.declared.setdefault(name, len(self.declared)))

    def number(self, prompt: Text) -> tuple[int, int]:
        """Hash of a prompt as it stands, and the number of its normal form."""
        # Pairs of one prompt mostly stand together, and making a prompt normal is what costs here.
        if self.last is not None and self.last[0] == prompt:
            return self.last[1:]
        asked = hash(prompt)
        plain = normalised(plain_text(prompt))
        key = digest(plain.encode())
        number = self.prompts.get(key)
        if number is None:
            number = self.prompts[key] = len(self.prompts)
            if self.threshold is not None:
                self.index.add(plain)
        self.last = (prompt, asked, number)
        return asked, number

    def repeats(self) -> Repeats:
        """Exact duplicates after the first, and every row of a pair that is labelled both ways."""
        columns = (self.asked_N, self.chosen_N, self.rejected_N)
        asked, left, right = (np.array(column, dtype=np.int64).view(np.uint64) for column in columns)
        # The same for both orders of the answers; which order a row has is asked once rows of one key are found.
        key = blend(asked, np.minimum(left, right), np.maximum(left, right))
        # Stable, so that of equal rows the one that came first stands first and is the one kept.
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.concatenate([[True], key[order][1:] != key[order][:-1]])) if len(key) else order
        sizes = np.diff(starts, append=len(key))
        duplicate: list[int] = []
        conflicting: list[int] = []
        first: dict[int, int] = {}
        for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
            rows = order[start : start + size]
            turned = left[rows] < right[rows]
            earliest = int(rows[0])
            if turned.any() and not turned.all():
                # All of them: nothing says which of the labels is the right one.
                conflicting += rows.tolist()
            else:
                duplicate += rows[1:].tolist()
            first |= {int(row): earliest for row in rows[1:]}
        return Repeats(duplicate=as_rows(duplicate), conflicting=as_rows(conflicting), first=first)

    def groups(self) -> Groups:
        """Pairs joined by a declared group, the same normalised prompt, or near-duplicate prompts."""
        digests = np.fromiter(self.prompts, dtype=np.uint64, count=len(self.prompts))
        near = self.index.near(threshold=self.threshold, seed=self.seed, order=digests) if self.threshold else None
        prompt_N = np.frombuffer(self.prompt_N, dtype=np.int64) if self.prompt_N else np.zeros(0, dtype=np.int64)
        declared_N = np.frombuffer(self.group_N, dtype=np.int64) if self.group_N else np.zeros(0, dtype=np.int64)
        said = declared_N >= 0
        # Groups are nodes beside the prompts: a group of a thousand pairs is a thousand edges, not half a million.
        edges = [np.stack([prompt_N[said], declared_N[said] + len(digests)], axis=1)]
        component = components(len(digests) + len(self.declared), edges + ([near.links] if near else []))
        return Groups(group_N=component[prompt_N], names=self.named(component, digests), near=near)

    def named(self, component: I64, digests: U64) -> list[str]:
        """The first declared name in each group; else one made from its prompts."""
        names: list[str | None] = [None] * (int(component.max()) + 1 if len(component) else 0)
        lowest = np.full(len(names), np.iinfo(np.uint64).max, dtype=np.uint64)
        # The least digest of a group's prompts: a name that no order of the pairs changes.
        np.minimum.at(lowest, component[: len(digests)], digests)
        for name, number in self.declared.items():
            place = int(component[len(digests) + number])
            before = names[place]
            names[place] = name if before is None else min(before, name)
        return [f"g-{int(low):016x}" if name is None else name for name, low in zip(names, lowest, strict=True)]


def blend(*digests_N: U64) -> U64:
    """Several 64-bit digests of each row as one (N,), so that rows can be sorted and compared by a single number.

    Order counts: blend(a, b) is not blend(b, a).
    """
    key_N = np.zeros(len(digests_N[0]), dtype=np.uint64)
    for digest_N in digests_N:
        # An odd factor (2^64 over the golden ratio, Knuth's multiplicative hashing) permutes the 64-bit numbers, so
        # nothing is lost; multiplication carries a bit's influence upwards only, and the shift brings it down again.
        key_N = (key_N ^ digest_N) * np.uint64(0x9E3779B97F4A7C15)
        key_N ^= key_N >> np.uint64(32)
    return key_N


def as_rows(rows: list[int]) -> I64:
    return np.array(sorted(rows), dtype=np.int64)


def components(nodes: int, edges: Iterable[I64]) -> I64:
    """The number of each node's connected component (nodes,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate([np.zeros((0, 2), dtype=np.int64), *edges])
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes))
    return (
        np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64) if nodes else np.zeros(0, np.int64)
    )


def prompt_groups(pairs: Sequence[Pair], *, threshold: float | None = 0.8, seed: int = 0) -> list[str]:
    """One group name per pair: pairs with one name must stay on one side of a split.

    Joined are pairs of one declared group, of the same prompt up to case, white space and Unicode form, and of prompts
    whose word pairs have a Jaccard similarity of at least `threshold` (None: these are not looked for). The names do
    not depend on the order of the pairs.
    """
    index = OverlapIndex(near_duplicates=threshold, seed=seed)
    for pair in pairs:
        index.add(pair)
    groups = index.groups()
    return [groups.names[number] for number in groups.group_N]


def overlap_report(groups: Groups, repeats: Repeats, *, keep: NDArray[np.bool_], prompts: int) -> OverlapReport:
    """The overlap of a whole data set in figures; groups are counted over the pairs kept."""
    sizes = np.bincount(groups.group_N[keep], minlength=0) if keep.any() else np.zeros(0, dtype=np.int64)
    largest = None
    if len(sizes):
        place = int(sizes.argmax())
        share = float(sizes[place] / sizes.sum())
        largest = LargestGroup(name=groups.names[place], pairs=int(sizes[place]), share=share)
    near = groups.near
    return OverlapReport(
        duplicates=len(repeats.duplicate),
        conflicting=len(repeats.conflicting),
        distinct_prompts=prompts,
        groups=len(sizes[sizes > 0]),
        near_duplicate_prompts=None if near is None else len(np.unique(near.links)),
        template_prompts=None if near is None else near.template_prompts,
        crowded_buckets=None if near is None else near.crowded_buckets,
        largest_group=largest,
    )


def overlap_warnings(report: OverlapReport, declared: Iterable[str]) -> list[str]:
    """What a reader should know before splitting."""
    largest = report.largest_group
    if largest is None or largest.share < LARGE_SHARE or largest.pairs < LARGE_PAIRS:
        return []
    cause = (
        "It is a group the data declare."
        if largest.name in set(declared) and not report.near_duplicate_prompts
        else "If its prompts only share a template, raise data.near_duplicates or switch it off (null)."
    )
    return [
        f"Group {largest.name} holds {largest.pairs:,} pairs, {largest.share:.0%} of all, and a split can "
        f"only put it on one side as a whole. {cause}"
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """How much of the data a benchmark shares. pairs: places of the pairs concerned, in order."""

    pairs: tuple[int, ...]
    same: int
    near: int
    benchmark_prompts: int

    def report(self) -> dict[str, int]:
        return {
            "pairs": len(self.pairs),
            "pairs_with_the_same_prompt": self.same,
            "pairs_with_a_near_duplicate": self.near,
            "benchmark_prompts": self.benchmark_prompts,
        }


def contamination(
    pairs: Sequence[Pair], benchmark: Iterable[Pair | Text], *, threshold: float | None = 0.8, seed: int = 0
) -> Contamination:
    """The pairs whose prompt is also a prompt of `benchmark` (pairs or prompts), exactly or nearly.

    Nearly: joined with it by near-duplicates, of which there may be several in between.
    """
    index = OverlapIndex(near_duplicates=threshold, seed=seed)
    for pair in pairs:
        index.add(pair)
    theirs = {index.number(item.prompt if isinstance(item, Pair) else item)[1] for item in benchmark}
    digests = np.fromiter(index.prompts, dtype=np.uint64, count=len(index.prompts))
    links = [] if threshold is None else [index.index.near(threshold=threshold, seed=seed, order=digests).links]
    component = components(len(digests), links)
    near = {int(component[number]) for number in theirs}
    kind: list[Literal["same", "near", "none"]] = [
        "same" if number in theirs else "near" if int(component[number]) in near else "none"
        for number in index.prompt_N
    ]
    return Contamination(
        pairs=tuple(place for place, found in enumerate(kind) if found != "none"),
        same=kind.count("same"),
        near=kind.count("near"),
        benchmark_prompts=len(theirs),
    )
