"""Which totals whole groups can make, and how many groups of each size make one. Pure integers; knows no pairs.

A set of reachable totals is a Python int whose bit t is set if t can be reached: adding k groups of size s is a shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def parcels(count: int) -> Iterator[int]:
    """Amounts that add up to every number from 0 to `count`: 1, 2, 4, ... and what is left."""
    amount = 1
    while count > 0:
        yield min(amount, count)
        count -= amount
        amount *= 2


def reachable(available: Mapping[int, int], most: int) -> int:
    """Totals up to `most` that can be made; available: size -> number of groups of that size."""
    bits, mask = 1, (1 << (most + 1)) - 1
    for size, count in sorted(available.items()):
        for amount in parcels(min(count, most // size)):
            bits |= (bits << (size * amount)) & mask
    return bits


def make(available: Mapping[int, int], total: int) -> dict[int, int] | None:
    """How many groups of each size add up to exactly `total`; None if none do."""
    mask = (1 << (total + 1)) - 1
    steps: list[tuple[int, int, int]] = []  # size, amount, totals reachable before it was offered
    bits = 1
    for size, count in sorted(available.items()):
        for amount in parcels(min(count, total // size)):
            steps.append((size, amount, bits))
            bits |= (bits << (size * amount)) & mask
        if bits >> total & 1:
            break
    if not bits >> total & 1:
        return None
    taken: dict[int, int] = {}
    for size, amount, before in reversed(steps):
        if not before >> total & 1:  # not reachable without this parcel, so it is needed
            taken[size] = taken.get(size, 0) + amount
            total -= size * amount
    return taken


def nearest(available: Mapping[int, int], total: int) -> tuple[int | None, int | None]:
    """The closest reachable totals at or below and at or above `total`, with at least one group on each side."""
    everything = sum(size * count for size, count in available.items())
    bits = reachable(available, everything) & ~1
    # Neither nothing nor everything held out is a split.
    bits &= ~(1 << everything)
    below = (bits & ((1 << (min(max(total, 0), everything) + 1)) - 1)).bit_length() - 1
    above = bits >> max(total, 0)
    # In two's complement x & -x is the lowest bit that is set: the nearest total above.
    first = (above & -above).bit_length() - 1
    return (below if below > 0 else None), (first + max(total, 0) if above else None)


def proportionate(available: Mapping[int, int], total: int) -> dict[int, int] | None:
    """As `make`, with about the same share of the groups of each size; None if `total` cannot be reached at all."""
    everything = sum(size * count for size, count in available.items())
    if not 0 <= total <= everything or not everything:
        return None if total else {}
    # Most of each size's share is fixed and only the rest is searched for. Where the rest cannot be made, more of each
    # share is given back, twice as much each time: at last nothing is fixed, and the answer is exact.
    start = {size: count * total // everything for size, count in available.items()}
    slack = 0
    while True:
        fixed = {size: max(0, taken - slack) for size, taken in start.items()}
        left = total - sum(size * taken for size, taken in fixed.items())
        rest = {size: available[size] - fixed[size] for size in available}
        # Offer first only a few more of each size than its share, so that no size takes all the remainder.
        few = {size: min(count, 2 * slack + 2) for size, count in rest.items()}
        more = make(few, left) or make(rest, left) if slack else make(few, left)
        if more is not None:
            return {size: fixed[size] + more.get(size, 0) for size in available}
        if not any(fixed.values()) and slack:
            return None
        slack = 2 * slack + 1
