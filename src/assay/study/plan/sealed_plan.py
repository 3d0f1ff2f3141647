"""Plans who sees which item, when, on which side, before anyone votes. Items, editors and a seed in, slots out.

Sides are balanced by walking the graph of (editor, item) showings in closed trails: every editor and every item has as
many trails going in as out, so each sees (or is shown with) answer a on the left half the time, within one.
"""

from __future__ import annotations

import random
import secrets
from collections import defaultdict
from collections.abc import Sequence

from assay.errors import StudyError
from assay.study.config import StudyConfig
from assay.study.study_records import OTHER, Editor, Item, Side, Slot

SHOWING_BYTES = 12
USUAL_REPEATS = 5


def plan_stream(seed: int, use: str) -> random.Random:
    """A generator of its own for each use of the seed, so that adding one use moves no other."""
    return random.Random(f"{seed}:{use}")


def make_plan(
    items: Sequence[Item], attention: Sequence[Item], editors: Sequence[Editor], *, config: StudyConfig, seed: int
) -> list[Slot]:
    """Each editor's slots: every assigned prompt once, repeats with sides swapped, attention items, order shuffled.

    Raises StudyError where the design asked for does not exist for these items and editors.
    """
    _check(items, attention, editors, config)
    assigned = _assign(items, editors, config=config, seed=seed)
    edges = [(row, item.id) for row, chosen in enumerate(assigned) for item in chosen]
    sides = dict(zip(edges, balance_sides(edges, plan_stream(seed, "sides")), strict=True))
    slots: list[Slot] = []
    for row, editor in enumerate(editors):
        rng = plan_stream(seed, f"order:{editor.name}")
        real = [(item.id, sides[row, item.id], "real") for item in assigned[row]]
        rng.shuffle(real)
        repeats = min(USUAL_REPEATS, len(real) // 2) if config.repeats is None else config.repeats
        order = _with_attention(_with_repeats(real, repeats, rng), attention, config.attention, rng)
        for position, (item_id, left, kind) in enumerate(order, start=1):
            # Not from the seed: pages show this name, and nothing on a page may help to guess the seed.
            showing = secrets.token_hex(SHOWING_BYTES)
            slots.append(
                Slot(showing=showing, editor=editor.name, position=position, item=item_id, left=left, kind=kind)  # type: ignore[arg-type]
            )
    return slots


def balance_sides(edges: Sequence[tuple[int, str]], rng: random.Random) -> list[Side]:
    """A side per (editor, item) edge such that every editor and every item has a-left half the time, within one."""
    ends: list[tuple[object, object]] = [(("editor", editor), ("item", item)) for editor, item in edges]
    degree: dict[object, int] = defaultdict(int)
    for one, other in ends:
        degree[one] += 1
        degree[other] += 1
    odd_editors = [node for node, count in degree.items() if count % 2 and node[0] == "editor"]  # type: ignore[index]
    odd_items = [node for node, count in degree.items() if count % 2 and node[0] == "item"]  # type: ignore[index]
    # Odd nodes get an edge to a dummy on the other side; both dummies are odd together, then they share an edge.
    ends += [(node, "spare item") for node in odd_editors] + [("spare editor", node) for node in odd_items]
    if len(odd_editors) % 2:
        ends.append(("spare editor", "spare item"))
    # With every degree even, a trail can stop only where it began: it enters each node as often as it leaves it.
    # Cutting off the dummies' edges takes at most one edge from a node, hence "within one".
    left = _orient(ends, rng)
    return left[: len(edges)]


def _orient(ends: Sequence[tuple[object, object]], rng: random.Random) -> list[Side]:
    """Walk closed trails over all edges; an edge walked from its first end to its second is "a", the other way "b"."""
    touching: dict[object, list[int]] = defaultdict(list)
    order = list(range(len(ends)))
    rng.shuffle(order)
    for edge in order:
        for node in ends[edge]:
            touching[node].append(edge)
    sides: list[Side | None] = [None] * len(ends)
    for start in list(touching):
        while True:
            forward: tuple[Side, Side] = ("a", "b") if rng.random() < 0.5 else ("b", "a")
            node, walked = start, False
            while (number := _next_edge(touching[node], sides)) is not None:
                one, other = ends[number]
                sides[number] = forward[0] if node == one else forward[1]
                node, walked = (other if node == one else one), True
            if not walked:
                break
    return [side for side in sides if side is not None]


def _next_edge(numbers: list[int], sides: Sequence[Side | None]) -> int | None:
    while numbers:
        number = numbers.pop()
        if sides[number] is None:
            return number
    return None


def _check(items: Sequence[Item], attention: Sequence[Item], editors: Sequence[Editor], config: StudyConfig) -> None:
    names = [editor.name for editor in editors]
    prompts = len({item.prompt_id for item in items})
    if not editors:
        raise StudyError("A study needs at least one editor. Give --editors 3, or --editor NAME for each.")
    if len(set(names)) < len(names):
        raise StudyError(f"Two editors have the same name ({', '.join(sorted(names))}). Names must differ.")
    if config.overlap is not None and config.overlap > len(editors):
        raise StudyError(f"overlap={config.overlap} editors per prompt, but there are {len(editors)} editors.")
    per_editor = prompts if config.overlap is None else prompts * config.overlap // len(editors)
    if config.repeats is not None and config.repeats > per_editor // 2:
        raise StudyError(
            f"repeats={config.repeats}, but an editor judges about {per_editor} prompts and at most half can come "
            f"again. Use --set repeats={per_editor // 2} or fewer."
        )
    if config.attention > len(attention):
        raise StudyError(
            f"attention={config.attention}, but there are {len(attention)} attention items. "
            "Give more with --attention FILE, or ask for fewer."
        )


def _assign(items: Sequence[Item], editors: Sequence[Editor], *, config: StudyConfig, seed: int) -> list[list[Item]]:
    """Per editor, the items to judge: overlap planned per prompt, load even within one prompt."""
    rng = plan_stream(seed, "assign")
    by_prompt: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_prompt[item.prompt_id].append(item)
    prompts = list(by_prompt.values())
    rng.shuffle(prompts)
    assigned: list[list[Item]] = [[] for _ in editors]
    together: dict[tuple[int, int], int] = defaultdict(int)
    load = [0] * len(editors)
    for pairs in prompts:
        rows = list(range(len(editors)))
        if config.overlap is not None:
            rows = _least_loaded(config.overlap, load, together, rng)
        rng.shuffle(rows)
        offset = rng.randrange(len(pairs))
        for turn, row in enumerate(rows):
            load[row] += 1
            assigned[row] += pairs if config.pairs_per_prompt == "all" else [pairs[(offset + turn) % len(pairs)]]
    return assigned


def _least_loaded(
    count: int, load: Sequence[int], together: dict[tuple[int, int], int], rng: random.Random
) -> list[int]:
    """`count` editors with the fewest prompts, among those the ones who met the chosen ones least."""
    chosen: list[int] = []
    for _ in range(count):
        free = [row for row in range(len(load)) if row not in chosen]
        # Load comes first, so nobody judges more than one prompt above another; whom one has met only breaks ties.
        chosen.append(min(free, key=lambda row: (load[row], sum(together[row, one] for one in chosen), rng.random())))
    for one in chosen:
        for other in chosen:
            together[one, other] += 1
    return chosen


Showing = tuple[str, Side, str]


def _with_repeats(real: Sequence[Showing], repeats: int, rng: random.Random) -> list[Showing]:
    """Some items of the first half again in the second half, sides swapped."""
    half = len(real) // 2
    again = rng.sample(list(real[:half]), repeats)
    second: list[Showing] = [*real[half:], *((item, OTHER[left], "repeat") for item, left, _ in again)]
    rng.shuffle(second)
    return [*real[:half], *second]


def _with_attention(
    order: Sequence[Showing], attention: Sequence[Item], count: int, rng: random.Random
) -> list[Showing]:
    """Attention items spread over the plan: one in each of `count` stretches, sides balanced."""
    chosen = rng.sample(list(attention), count)
    sides: list[Side] = ["a", "b"] * ((count + 1) // 2)
    rng.shuffle(sides)
    placed = list(order)
    # From the back, so that an insertion moves no stretch that is still to come.
    for number in reversed(range(count)):
        low, high = len(order) * number // count, len(order) * (number + 1) // count
        placed.insert(rng.randint(low, high), (chosen[number].id, sides[number], "attention"))
    return placed
