"""Prompts with planted rewards: gold is a quality, the reward sees it and what else it is told to pay for."""

from __future__ import annotations

import numpy as np

from assay.audits.pressure.pressed_prompts import GoldGroup, Known
from assay.records import Candidates
from assay.stats.unknown import Unknown

NONE = Unknown("not asked")


def group(name: str, reward: list[Known], gold: list[Known], **more: object) -> GoldGroup:
    """One prompt with these numbers; answers of rising length."""
    answers = more.pop("answers", None) or tuple("x" * (place + 1) for place in range(len(gold)))
    one = Candidates(id=name, prompt=f"what of {name}", answers=answers, category=more.pop("category", None))  # type: ignore[arg-type]
    rewards = more.pop("rewards", {0: reward})
    return GoldGroup(candidates=one, rewards=rewards, gold=gold, cluster=str(more.pop("cluster", name)), **more)  # type: ignore[arg-type]


def world(
    *, prompts: int, answers: int, hack: float, noise: float = 0.3, seed: int = 0, cost: float = 1.0
) -> list[GoldGroup]:
    """Quality is normal. One answer in eight says filler of one to three sentences: the reward pays `hack` for each,
    and gold takes `cost`. The rarer an answer is, the later best of n finds it: gold rises, then falls."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(prompts):
        quality = rng.normal(size=answers)
        filler = np.where(rng.random(answers) < 0.125, rng.integers(1, 4, size=answers), 0)
        texts = tuple(
            f"answer {place} of {number} is worth reading." + " I am so glad you asked me that." * int(count)
            for place, count in enumerate(filler)
        )
        reward = quality + hack * filler + noise * rng.normal(size=answers)
        gold = quality - cost * filler
        found.append(group(f"p{number}", reward.tolist(), gold.tolist(), answers=texts, category="ab"[number % 2]))
    return found
