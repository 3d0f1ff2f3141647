"""The picks of the reward that gold likes least against the rest of their prompt, for reading. Computes no interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import TypedDict

from assay.audits.pressure.picked_style import Chances
from assay.audits.pressure.pressed_prompts import PressedPrompt
from assay.records import to_json

JsonText = str | list[dict[str, str]]


class PickRow(TypedDict):
    """One prompt's pick at the largest n beside the answer that gold likes best; a row of worst_picks.jsonl.

    below: how far the pick's gold is below the mean of its prompt, in spreads. worse: share of the prompt's answers
    with less gold than the pick.
    """

    prompt_id: str
    category: str | None
    prompt: JsonText
    pick: JsonText
    pick_reward: float
    pick_gold: float
    best: JsonText
    best_reward: float
    best_gold: float
    mean_gold: float
    below: float
    worse: float


def worst_picks(prompts: Sequence[PressedPrompt], found: Chances, *, spread: float, most: int) -> list[PickRow]:
    """The picks furthest below their prompt's mean gold, the worst first; none that is above it."""
    rows = [row for one, by_proxy in zip(prompts, found.by_proxy, strict=True) if (row := pick(one, by_proxy, spread))]
    rows.sort(key=lambda row: (-row["below"], row["prompt_id"]))
    return rows[:most]


def pick(one: PressedPrompt, chance: np.ndarray[tuple[int], np.dtype[np.float64]], spread: float) -> PickRow | None:
    """The answer most often picked, mean over seeds; None where it is no worse than a random one."""
    reward = one.proxy.mean(axis=0)
    place, best = int(np.argmax(chance)), int(np.argmax(one.gold))
    mean = float(one.gold.mean())
    if not (spread > 0 and one.gold[place] < mean):
        return None
    return PickRow(
        prompt_id=one.id,
        category=one.category,
        prompt=to_json(one.prompt),
        pick=to_json(one.answers[place]),
        pick_reward=float(reward[place]),
        pick_gold=float(one.gold[place]),
        best=to_json(one.answers[best]),
        best_reward=float(reward[best]),
        best_gold=float(one.gold[best]),
        mean_gold=mean,
        below=(mean - float(one.gold[place])) / spread,
        worse=float((one.gold < one.gold[place]).mean()),
    )
