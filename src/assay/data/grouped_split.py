"""Training and held-out pairs: whole groups, exact size, categories in proportion, the same for any order of rows.

1. The size that whole groups can make: a subset-sum problem (subset.py). 2. Which groups of each size are held out, so
that the categories come out in proportion. 3. The proof, counted from the sides themselves.
Knows groups and categories; knows no text but its digest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.artifacts.split_body import SplitBody, SplitCategory, SplitGroup
from assay.data.config import SplitConfig
from assay.data.groups.overlap import prompt_groups
from assay.data.groups.shingles import normalised
from assay.data.made_mark import made_kind
from assay.data.pair_agreement import agreement
from assay.data.subset import nearest, proportionate
from assay.data.text_ids import encoded
from assay.errors import SplitError
from assay.records import NO_CATEGORY, Pair, plain_text
from assay.stats.draws import stream

F64 = NDArray[np.float64]
SWAPS = 2000
MOST_KINDS = 300  # kinds of groups of one size between which swaps are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The two sides, each in an order made from the texts, and the proof: the body of split.json."""

    train: list[Pair]
    held_out: list[Pair]
    proof: SplitBody
    train_groups: list[str]
    held_out_groups: list[str]


class Sides(NamedTuple):
    """The pairs of both sides, and the group of each."""

    train: list[Pair]
    held_out: list[Pair]
    train_groups: list[str]
    held_out_groups: list[str]


@dataclass(slots=True)
class Bucket:
    """Groups that are the same for a split: one size, the same number of pairs of each category."""

    size: int
    count_C: F64
    names: list[str]
    taken: int = 0


def split(pairs: Sequence[Pair], *, config: SplitConfig | None = None, groups: Sequence[str] | None = None) -> Split:
    """Hold out exactly `config.holdout` pairs in whole groups, each category in proportion.

    groups: one name per pair; those of prompt_groups(pairs) when not given. The result depends on the pairs, the groups
    and the seed, not on the order of the pairs. Raises SplitError if no whole groups make that size; it names the
    nearest that can be had, and with rounding "nearest" the nearest is taken.
    """
    config = config or SplitConfig()
    groups = prompt_groups(pairs) if groups is None else groups
    if len(groups) != len(pairs):
        raise SplitError(f"{len(groups)} group names for {len(pairs)} pairs: there must be one for each.")
    # A group goes to one side as a whole: one pair that may not be held out keeps all of it among the training pairs.
    kept = {group for pair, group in zip(pairs, groups, strict=True) if not may_be_held_out(pair, config)}
    open_to = [i for i in range(len(pairs)) if groups[i] not in kept]
    sizes = Counter(groups)
    size = achievable(Counter(groups[i] for i in open_to), config, kept=len(pairs) - len(open_to))
    buckets, categories = gather([pairs[i] for i in open_to], [groups[i] for i in open_to], config.seed)
    wanted_C = np.array([sum(b.count_C[c] * len(b.names) for b in buckets) for c in range(len(categories))])
    wanted_C = wanted_C * size / len(open_to)
    choose(buckets, size, wanted_C)
    held = {name for bucket in buckets for name in bucket.names[: bucket.taken]}
    order = sorted(range(len(pairs)), key=lambda i: content_key(pairs[i]))
    train = [i for i in order if groups[i] not in held]
    held_out = [i for i in order if groups[i] in held]
    if len(held_out) != size:
        raise AssertionError(f"{len(held_out)} pairs held out where {size} were to be")
    train_groups, held_out_groups = [groups[i] for i in train], [groups[i] for i in held_out]
    sides = Sides([pairs[i] for i in train], [pairs[i] for i in held_out], train_groups, held_out_groups)
    wanted = {**dict.fromkeys(sorted({category_of(pair) for pair in pairs}), 0.0)}
    wanted |= dict(zip(categories, wanted_C.tolist(), strict=True))
    not_held_out = len(pairs) - len(open_to)
    return Split(
        train=sides.train,
        held_out=sides.held_out,
        train_groups=train_groups,
        held_out_groups=held_out_groups,
        proof=proof(sides, sizes, config, wanted).model_copy(
            update={"min_agreement": config.min_agreement, "pairs_not_held_out": not_held_out}
        ),
    )


def may_be_held_out(pair: Pair, config: SplitConfig) -> bool:
    """Whether a pair can be evidence: people judged it, and those who voted agreed as far as is asked for."""
    if made_kind(pair) is not None:
        return False
    agreed = None if config.min_agreement is None else agreement(pair)
    return agreed is None or config.min_agreement is None or agreed >= config.min_agreement


def achievable(sizes: Counter[str], config: SplitConfig, *, kept: int = 0) -> int:
    """The number of pairs that will be held out. Raises SplitError if that is not what was asked for.

    sizes: of the groups that may be held out. kept: pairs of the others.
    """
    total = sizes.total()
    available = Counter(sizes.values())
    if kept and (total <= config.holdout or len(sizes) < 2):
        raise SplitError(
            f"{counted(kept)} cannot be held out: their groups hold pairs that were made, or fall below "
            f"split.min_agreement. Of the other {total:,} in {len(sizes):,} groups, {config.holdout:,} are to be held "
            "out and a group has to remain. Ask for fewer (--holdout), or lower split.min_agreement."
        )
    if not total:
        raise SplitError("There are no pairs to split. `assay check` says why rows did not become pairs.")
    if len(sizes) < 2:
        raise SplitError(
            f"{counted(total)} in 1 group cannot be split: a group goes to one side "
            "as a whole. If prompts only share a template, raise data.near_duplicates or switch it off (null)."
        )
    below, above = nearest(available, config.holdout)
    if below == config.holdout:
        return config.holdout
    choices = [size for size in (below, above) if size is not None]
    if config.rounding == "nearest":
        return min(choices, key=lambda size: (abs(size - config.holdout), size))
    named = " and ".join(f"{size:,}" for size in choices)
    largest, count = sizes.most_common(1)[0]
    raise SplitError(
        f"{config.holdout:,} of {total:,} pairs cannot be held out in whole groups. Nearest possible: {named}. "
        f"There are {len(sizes):,} groups; the largest, {largest!r}, has {counted(count)}. Ask for a possible size, or "
        "take the nearest with --set split.rounding=nearest."
    )


def counted(pairs: int) -> str:
    return f"{pairs:,} pair{'s' * (pairs != 1)}"


def gather(pairs: Sequence[Pair], groups: Sequence[str], seed: int) -> tuple[list[Bucket], list[str]]:
    """Groups put together with their like, in an order that depends on names and seed alone; and the categories."""
    categories = sorted({category_of(pair) for pair in pairs})
    number = {name: place for place, name in enumerate(categories)}
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for pair, group in zip(pairs, groups, strict=True):
        counts[group][number[category_of(pair)]] += 1
    alike: dict[tuple[tuple[int, int], ...], list[str]] = defaultdict(list)
    for group in sorted(counts):
        alike[tuple(sorted(counts[group].items()))].append(group)
    buckets = []
    generator = stream(seed, "split")
    for kind in sorted(alike, key=lambda kind: (-sum(n for _, n in kind), kind)):
        count_C = np.zeros(len(categories))
        for category, count in kind:
            count_C[category] = count
        names = [alike[kind][place] for place in generator.permutation(len(alike[kind]))]
        buckets.append(Bucket(size=int(count_C.sum()), count_C=count_C, names=names))
    # Kinds of one size and equal merit are tried in an order drawn from the seed.
    places = generator.permutation(len(buckets))
    return sorted((buckets[place] for place in places), key=lambda bucket: -bucket.size), categories


def category_of(pair: Pair) -> str:
    return NO_CATEGORY if pair.category is None else pair.category


def choose(buckets: list[Bucket], size: int, wanted_C: F64) -> None:
    """Set how many groups of each bucket are held out: exactly `size` pairs, categories near `wanted_C`."""
    available: Counter[int] = Counter()
    for bucket in buckets:
        available[bucket.size] += len(bucket.names)
    numbers = proportionate(available, size)
    if numbers is None:
        raise AssertionError(f"{size} was said to be reachable")
    missing_C = wanted_C.copy()
    # Large groups first, as they are hard to place: what they leave wanting, small ones can mend.
    for group_size in sorted(numbers, reverse=True):
        here = [bucket for bucket in buckets if bucket.size == group_size]
        missing_C -= fill(here, numbers[group_size], missing_C)
    improve(buckets, missing_C)


def fill(buckets: list[Bucket], number: int, missing_C: F64) -> F64:
    """Take `number` groups from buckets of one size, each time from the one that helps most; what was taken (C,)."""
    count_BC = np.stack([bucket.count_C for bucket in buckets])
    left_B = np.array([len(bucket.names) for bucket in buckets])
    pairs_C = left_B @ count_BC
    share = number / max(int(left_B.sum()), 1)
    # The bulk in proportion, so that only the remainder is chosen one by one.
    bulk_B = np.floor(left_B * share).astype(np.int64)
    for bucket, bulk in zip(buckets, bulk_B, strict=True):
        bucket.taken = int(bulk)
    taken_C = bulk_B @ count_BC
    left_B = left_B - bulk_B
    square_B = (count_BC**2).sum(axis=1)
    need_C = np.minimum(missing_C, pairs_C) - taken_C
    for _ in range(number - int(bulk_B.sum())):
        # Taking c changes |need - c|^2 by c.c - 2 c.need; the gain is the opposite of it.
        gain_B = np.where(left_B > 0, 2 * count_BC @ need_C - square_B, -np.inf)
        best = int(np.argmax(gain_B))
        buckets[best].taken += 1
        left_B[best] -= 1
        need_C = need_C - count_BC[best]
        taken_C = taken_C + count_BC[best]
    return np.asarray(taken_C, dtype=np.float64)


def improve(buckets: list[Bucket], missing_C: F64) -> None:
    """Swap groups of one size between the sides while that brings the categories nearer to what is wanted."""
    by_size: dict[int, list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        by_size[bucket.size].append(bucket)
    rivals = [here[:MOST_KINDS] for here in by_size.values() if len(here) > 1]
    tables = [np.stack([bucket.count_C for bucket in here]) for here in rivals]
    for _ in range(SWAPS):
        # Above 0 by more than rounding, or two groups could be swapped to and fro for ever.
        best, move = 1e-9, None
        for here, count_BC in zip(rivals, tables, strict=True):
            out_B = np.array([bucket.taken > 0 for bucket in here])
            in_B = np.array([bucket.taken < len(bucket.names) for bucket in here])
            # Taking i in and putting j out lowers the squared miss by 2 d.m - d.d with d = count[i] - count[j].
            merit_B = 2 * count_BC @ missing_C
            norm_B = (count_BC**2).sum(axis=1)
            cross = norm_B[:, None] + norm_B[None, :] - 2 * count_BC @ count_BC.T
            gain = np.where(in_B[:, None] & out_B[None, :], merit_B[:, None] - merit_B[None, :] - cross, -np.inf)
            place = int(gain.argmax())
            if gain.flat[place] > best:
                best, move = float(gain.flat[place]), (here, *divmod(place, len(here)))
        if move is None:
            return
        here, i, j = move
        here[i].taken += 1
        here[j].taken -= 1
        missing_C -= here[i].count_C - here[j].count_C


def content_key(pair: Pair) -> bytes:
    """What a pair is sorted by: its texts, then its id."""
    parts = (encoded(pair.prompt), encoded(pair.chosen), encoded(pair.rejected), pair.id.encode())
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def proof(sides: Sides, sizes: Counter[str], config: SplitConfig, wanted: Mapping[str, float]) -> SplitBody:
    """The figures that show the split is what it says, from the sides themselves."""
    train_prompts, held_out_prompts = ({prompt_key(pair) for pair in side} for side in (sides.train, sides.held_out))
    train_groups, held_out_groups = set(sides.train_groups), set(sides.held_out_groups)
    trained, held = (Counter(map(category_of, side)) for side in (sides.train, sides.held_out))
    count = max(sizes.values())
    return SplitBody(
        seed=config.seed,
        rounding=config.rounding,
        holdout_wanted=config.holdout,
        pairs_held_out=len(sides.held_out),
        pairs_train=len(sides.train),
        groups=len(sizes),
        groups_held_out=len(held_out_groups),
        groups_train=len(train_groups),
        shared_groups=len(train_groups & held_out_groups),
        prompts_held_out=len(held_out_prompts),
        prompts_train=len(train_prompts),
        shared_prompts=len(train_prompts & held_out_prompts),
        largest_group=SplitGroup(name=min(name for name, n in sizes.items() if n == count), pairs=count),
        categories={
            name: SplitCategory(pairs=trained[name] + held[name], wanted=round(share, 2), held_out=held[name])
            for name, share in wanted.items()
        },
        held_out_sha256=side_hash(sides.held_out),
        train_sha256=side_hash(sides.train),
    )


def prompt_key(pair: Pair) -> bytes:
    return blake2b(normalised(plain_text(pair.prompt)).encode(), digest_size=16).digest()


def side_hash(pairs: Sequence[Pair]) -> str:
    """`sha256:...` of the pairs of one side, in their order."""
    found = sha256()
    for pair in pairs:
        found.update(content_key(pair))
    return "sha256:" + found.hexdigest()
