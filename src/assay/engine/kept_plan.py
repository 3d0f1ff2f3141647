"""Which rows of a batch share a beginning that is worth keeping from pass to pass, and how they are cut into passes.

1) Groups that begin alike and are too many for one pass are found; 2) for each such family the cheapest way is counted:
groups whole in passes behind the kept beginning, or rows by themselves, run twice; 3) where neither costs less than
packs that run the beginning again, nothing is kept. Counts tokens; knows no model, no loss and no torch.

A forward pass of a token counts 1, its backward pass 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from assay.engine.trie import Ints, Row, common_beginning, common_prefix, distinct_tokens, plan, sort_key

SHORTEST = 64  # tokens below which a beginning is not worth a pass of its own
_FORWARD, _BACKWARD = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Groups that begin alike, and their passes; `cost` in forward passes of one token.

    beginning: what is kept; of no tokens where one pass holds all of the family. members: the groups. passes: which of
    them run in which pass; all in one where `apart`: then rows are cut further, into passes of `room` tokens, and run
    twice. recomputed: the beginning's activations are made again for its backward pass, since one pass does not hold
    them beside `room` more tokens.
    """

    beginning: Ints
    passes: tuple[tuple[int, ...], ...]
    apart: bool
    recomputed: bool
    room: int
    cost: int

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(group for members in self.passes for group in members)


def kept_families(
    groups: Sequence[Sequence[Row]],
    most: Sequence[int],
    *,
    token_budget: int,
    may_cut: bool = True,
    shortest: int = SHORTEST,
) -> list[Family]:
    """Families worth keeping a beginning for; groups that are in none of them run as `trie.plan` has it.

    groups: rows that belong together. most: of each group, how many leading tokens may be kept at most; fewer than its
    shortest row has. may_cut: whether rows of one group may run in passes apart.
    """
    # Mostly there is nothing to keep, and a step on a GPU is over in a tenth of a second: what is cheap is asked first.
    long = [group for group, longest in enumerate(most) if longest >= shortest]
    if len(long) < 2 or sum(len(row) for rows in groups for row in rows) <= token_budget:
        return []
    beginnings = {group: common_beginning(groups[group])[: most[group]] for group in long}
    order = sorted(long, key=lambda group: sort_key(beginnings[group]))
    alike = np.array([common_prefix(beginnings[a], beginnings[b]) for a, b in pairwise(order)])
    if alike.max() < shortest:
        return []
    sizes = np.array([distinct_tokens(groups[group]) for group in order])
    runs = _Runs(sizes, alike, token_budget, shortest)
    found = []
    for start, end, tokens in runs.best(0, len(order))[1]:
        members = sorted(order[start:end])
        family = _cheapest(groups, members, beginnings[members[0]][:tokens], token_budget, may_cut=may_cut)
        if family is not None:
            found.append(family)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Groups in the order of their beginnings. sizes: tokens of each; alike: what each has in common with the next."""

    sizes: Ints
    alike: Ints
    budget: int
    shortest: int

    def best(self, start: int, end: int) -> tuple[float, list[tuple[int, int, int]]]:
        """What keeping saves at most among the groups [start, end), and the runs to keep for it, with their tokens.

        Either one beginning for all of them, or, parted where they have least in common, each part at its best. A
        conversation with a group at every turn is parted as often as it has turns: so by a list, and not by recursion.
        """
        spans, parts = [(start, end)], list[list[int]]()
        for first, last in spans:
            parts.append([])
            if not self._in_one_pass(first, last):
                alike = self.alike[first : last - 1]
                borders = (first + 1 + np.flatnonzero(alike == alike.min())).tolist()
                parts[-1] = list(range(len(spans), len(spans) + len(borders) + 1))
                spans += zip([first, *borders], [*borders, last], strict=True)
        found: dict[int, tuple[float, list[tuple[int, int, int]]]] = {}
        for number in reversed(range(len(spans))):
            found[number] = self._better(*spans[number], [found.pop(part) for part in parts[number]])
        return found[0]

    def _in_one_pass(self, start: int, end: int) -> bool:
        # Answers that stand in several pairs are counted for each of them here.
        return end - start < 2 or self._distinct(start, end) <= self.budget

    def _distinct(self, start: int, end: int) -> int:
        return int(self.sizes[start:end].sum() - self.alike[start : end - 1].sum())

    def _better(
        self, start: int, end: int, parts: Sequence[tuple[float, list[tuple[int, int, int]]]]
    ) -> tuple[float, list[tuple[int, int, int]]]:
        """The groups kept as one, or part by part, whichever saves more; nothing where they were not parted."""
        if not parts:
            return 0.0, []
        tokens = int(self.alike[start : end - 1].min())
        together = self._saved(tokens, self._distinct(start, end) - tokens, end - start)
        saved = sum(part[0] for part in parts)
        return (
            (together, [(start, end, tokens)])
            if together > saved
            else (saved, [run for part in parts for run in part[1]])
        )

    def _saved(self, tokens: int, own: int, groups: int) -> float:
        """Of a beginning kept for all, against packs that each run it again, roughly; the plan counts it exactly."""
        if tokens < self.shortest:
            return 0.0
        packs = min(groups, -(-own // max(1, self.budget - tokens)))
        return (packs - 1) * tokens * (_FORWARD + _BACKWARD) - tokens * _FORWARD


def _cheapest(
    groups: Sequence[Sequence[Row]], members: Sequence[int], beginning: Ints, budget: int, *, may_cut: bool
) -> Family | None:
    """The cheapest of a family's ways, or None where packs that run the beginning again cost no more."""
    start, step = len(beginning), _FORWARD + _BACKWARD
    rows, together = [groups[group] for group in members], (tuple(members),)
    plain = _packs(rows, budget)
    if len(plain.passes) == 1:
        return Family(beginning[:0], together, apart=False, recomputed=False, room=budget, cost=step * plain.tokens)
    own = [[row[start:] for row in group] for group in rows]
    alone = [[row] for row in {sort_key(np.asarray(row)): row for group in own for row in group}.values()]
    ways = []
    # Held, the beginning's activations take part of every pass; made again, they cost one more forward pass. Held
    # beside passes shorter than itself is left out: answers in many short passes are slow.
    for recomputed in (False, True) if 2 * start <= budget else (True,):
        room = budget if recomputed else budget - start
        ahead = start * (step + _FORWARD * recomputed)
        packs = _packs_of_pairs(own, room)
        named = tuple(tuple(members[place] for place in places) for places in packs.passes)
        cost = ahead + step * packs.tokens
        ways.append(Family(beginning, named, apart=False, recomputed=recomputed, room=room, cost=cost))
        if may_cut:
            cost = ahead + (step + _FORWARD) * _packs(alone, room).tokens
            ways.append(Family(beginning, together, apart=True, recomputed=recomputed, room=room, cost=cost))
    best = min(ways, key=lambda way: way.cost)
    return best if best.cost < step * plain.tokens else None


class _Packs(NamedTuple):
    """Groups by pass, and the tokens of all passes."""

    passes: list[list[int]]
    tokens: int


def _packs(groups: Sequence[Sequence[Row]], budget: int) -> _Packs:
    # A plan counts what neighbours have in common. An answer that stands in many pairs may have more.
    together = distinct_tokens([row for group in groups for row in group])
    if together <= budget:
        return _Packs([[*range(len(groups))]], together)
    passes = plan(groups, token_budget=budget)
    return _Packs(passes, sum(_tokens(groups, places) for places in passes))


def _packs_of_pairs(groups: Sequence[Sequence[Row]], budget: int) -> _Packs:
    """Packs of groups that have rows in common (the best answer against each other): filled by what a group adds."""
    planned = _packs(groups, budget)
    rows = [sort_key(np.asarray(row)) for group in groups for row in group]
    if len(planned.passes) == 1 or len(set(rows)) == len(rows):
        return planned
    passes: list[list[int]] = []
    for place in sorted(
        range(len(groups)), key=lambda place: sorted(sort_key(np.asarray(row)) for row in groups[place])
    ):
        if passes and _tokens(groups, [*passes[-1], place]) <= budget:
            passes[-1].append(place)
        else:
            passes.append([place])
    filled = _Packs(passes, sum(_tokens(groups, places) for places in passes))
    return min(planned, filled, key=lambda packs: packs.tokens)


def _tokens(groups: Sequence[Sequence[Row]], places: Sequence[int]) -> int:
    """Distinct tokens of one pass."""
    return distinct_tokens([row for place in places for row in groups[place]])
