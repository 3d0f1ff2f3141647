"""Defects planted by name, each in so many rows, with the rows it touched written down; and rows as the file has them.

Knows labelled rows only, not how they were drawn or voted on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NotRequired, TypedDict

from assay.errors import ConfigError
from assay.simulate.paired_votes import Labelled, VoteRow
from assay.simulate.random_values import simulation_stream

SOURCE = {"generator": "assay simulate support", "batch": "sim-1"}


Row = dict[str, object]  # as it stands in the file, in assay's own layout


class Touched(TypedDict):
    """Ids of the rows a defect was planted in, and what else is true of them, by defect (docs/simulator.md)."""

    rows: list[str]
    changed: NotRequired[list[str]]
    group_leaked_from: NotRequired[dict[str, str]]
    exact: NotRequired[dict[str, str]]
    both_ways: NotRequired[dict[str, str]]
    annotator: NotRequired[str]
    side: NotRequired[str]


class PlantedDefect(Touched):
    """And the share that was asked for."""

    rate: float


@dataclass(slots=True, kw_only=True)
class Planted:
    """Rows before and after planting, which rows have no definite label any more, and the truth by defect."""

    clean: list[Labelled]
    rows: list[Labelled]
    indefinite: set[str] = field(default_factory=set)
    truth: dict[str, PlantedDefect] = field(default_factory=dict)


Plant = Callable[[Planted, list[int], random.Random], Touched]


def _mirrored(row: Labelled) -> Labelled:
    """The two answers exchanged, the votes left as they were: now most votes praise the other answer."""
    return replace(row, chosen=row.rejected, rejected=row.chosen)


def flipped_labels(planted: Planted, places: list[int], rng: random.Random) -> Touched:
    """The label and its votes say the opposite of what the annotators said."""
    for place in places:
        planted.rows[place] = _mirrored(planted.rows[place])
    return {"rows": _ids(planted, places)}


def length_shortcut(planted: Planted, places: list[int], rng: random.Random) -> Touched:
    """The longer answer wins, whatever it is worth."""
    changed = []
    for place in places:
        row = planted.rows[place]
        if len(row.chosen.text) < len(row.rejected.text):
            row = _mirrored(row)
            changed.append(row.id)
        planted.rows[place] = row
    return {"rows": _ids(planted, places), "changed": sorted(changed)}


def ties(planted: Planted, places: list[int], rng: random.Random) -> Touched:
    """Two annotators of three could not decide; the row's label is a tie."""
    for place in places:
        row = planted.rows[place]
        undecided = rng.sample(range(len(row.votes)), len(row.votes) - 1)
        votes: list[VoteRow] = [{**v, "choice": "tie"} if i in undecided else v for i, v in enumerate(row.votes)]
        planted.rows[place] = replace(row, votes=votes)
        planted.indefinite.add(row.id)
    return {"rows": _ids(planted, places)}


def leaked_prompts(planted: Planted, places: list[int], rng: random.Random) -> Touched:
    """The same prompt, a word or two apart, under another group's name."""
    first = 1 + max(int(row.group.rpartition("-")[2]) for row in planted.rows)
    origin = {}
    for number, place in enumerate(places, start=first):
        row = planted.rows[place]
        origin[row.id] = row.group
        planted.rows[place] = replace(row, prompt=_reworded(row.prompt, rng), group=f"support-{number}")
    return {"rows": _ids(planted, places), "group_leaked_from": origin}


def _reworded(prompt: str, rng: random.Random) -> str:
    """One word changed at the customer's end: near enough to be the same prompt, not equal to it."""
    marked = "Customer: " + rng.choice(("Hi again. ", "Hello? ", "Sorry, once more: ", "Second try. "))
    return prompt.replace("Customer: ", marked, 1)


def context_mismatch(planted: Planted, places: list[int], rng: random.Random) -> Touched:
    """The two answers were given to different prompts."""
    for place in places:
        row = planted.rows[place]
        others = [r.prompt for r in planted.rows if r.category == row.category and r.prompt != row.prompt]
        planted.rows[place] = replace(row, prompt_right=rng.choice(others) if others else row.prompt + " Hello?")
        planted.indefinite.add(row.id)
    return {"rows": _ids(planted, places)}


def duplicates(planted: Planted, places: list[int], rng: random.Random) -> Touched:
    """Every second one the same pair again, every other one the same pair labelled the other way round."""
    taken = set(places)
    by_category: dict[str, list[int]] = {}
    for place, row in enumerate(planted.rows):
        if place not in taken and row.id not in planted.indefinite and row.prompt_right is None:
            by_category.setdefault(row.category, []).append(place)
    for free in by_category.values():
        rng.shuffle(free)
    exact: dict[str, str] = {}
    both_ways: dict[str, str] = {}
    for number, place in enumerate(places):
        row = planted.rows[place]
        free = by_category.get(row.category, [])
        if not free:
            raise ConfigError("duplicates: more copies asked for than there are rows to copy. Lower the share.")
        original = planted.rows[free.pop()]
        same = number % 2 == 0
        planted.rows[place] = replace(original if same else _mirrored(original), id=row.id)
        (exact if same else both_ways)[row.id] = original.id
    return {"rows": _ids(planted, places), "exact": exact, "both_ways": both_ways}


# In the order they are planted: whatever looks at other rows comes after whatever changes rows.
PLANTS: Mapping[str, Plant] = {
    "length_shortcut": length_shortcut,
    "flipped_labels": flipped_labels,
    "ties": ties,
    "leaked_prompts": leaked_prompts,
    "context_mismatch": context_mismatch,
    "duplicates": duplicates,
}
DEFECTS: tuple[str, ...] = (*PLANTS, "position_bias")


def checked(rates: Mapping[str, float]) -> dict[str, float]:
    """The rates, if each names a defect and they leave room for each other. Raises ConfigError."""
    for name, rate in rates.items():
        if name not in DEFECTS:
            raise ConfigError(f"No defect is called {name!r}. Known defects: {', '.join(DEFECTS)}.")
        if not 0 <= rate <= 1:
            raise ConfigError(f"Defect {name}: expected a share between 0 and 1, got {rate}.")
    total = sum(rate for name, rate in rates.items() if name in PLANTS)
    if total > 1:
        raise ConfigError(f"The defects' shares sum to {total:g}; a row takes one defect at most. Lower them.")
    return dict(rates)


def plant(labelled: list[Labelled], rates: Mapping[str, float], *, seed: int) -> tuple[Planted, list[Row]]:
    """The rows with every defect planted in rows of its own, and the same as they stand in the file."""
    planted = Planted(clean=list(labelled), rows=list(labelled))
    free = list(range(len(labelled)))
    simulation_stream(seed, "defects/rows").shuffle(free)
    for name, apply in PLANTS.items():
        rate = rates.get(name, 0.0)
        if rate > 0:
            count = min(len(free), round(rate * len(labelled)))
            places, free = free[:count], free[count:]
            planted.truth[name] = {"rate": rate, **apply(planted, places, simulation_stream(seed, f"defects/{name}"))}
    if rates.get("position_bias"):
        ids = sorted(row.id for row in planted.rows if row.voted_unread)
        planted.truth["position_bias"] = {
            "rate": rates["position_bias"], "annotator": "annotator-3", "side": "left", "rows": ids,
        }  # fmt: skip
    return planted, [_row(row, planted) for row in planted.rows]


def _row(row: Labelled, planted: Planted) -> Row:
    """One row in assay's own layout.

    A file with mismatched contexts states both sides' prompts in every row, one with ties states every row's label.
    """
    prompts = {"prompt_left": row.prompt, "prompt_right": row.prompt_right or row.prompt}
    tied = sum(vote["choice"] == "tie" for vote in row.votes) * 2 > len(row.votes)
    return {
        "id": row.id,
        **(prompts if "context_mismatch" in planted.truth else {"prompt": row.prompt}),
        "chosen": row.chosen.text,
        "rejected": row.rejected.text,
        **({"label": "tie" if tied else "chosen"} if "ties" in planted.truth else {}),
        "category": row.category,
        "group": row.group,
        "votes": row.votes,
        "source": SOURCE,
    }


def _ids(planted: Planted, places: list[int]) -> list[str]:
    return sorted(planted.rows[place].id for place in places)
