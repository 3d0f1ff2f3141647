"""Pairs with known answers, and scorers with known defects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.audits import Audit, audit
from assay.audits.config import AuditConfig
from assay.records import Pair, PairScore

CATEGORIES = ("brevity", "refusals", "tone")
QUICK = AuditConfig(resamples=200)


def make_pairs(count: int, *, longer_preferred: float = 0.6, per_prompt: int = 2, seed: int = 0) -> list[Pair]:
    """Pairs whose chosen answer is the longer one with the given chance; categories in turn, by prompt."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        short, long = sorted(rng.choice(np.arange(20, 400), size=2, replace=False))
        chosen, rejected = (long, short) if rng.random() < longer_preferred else (short, long)
        prompt = index // per_prompt
        found.append(
            Pair(
                id=f"p{index}",
                prompt=f"question {prompt}",
                chosen="c" * int(chosen),
                rejected="r" * int(rejected),
                category=CATEGORIES[prompt % len(CATEGORIES)],
            )
        )
    return found


def groups_of(pairs: list[Pair]) -> list[str]:
    return [str(pair.prompt) for pair in pairs]


def score(pairs: list[Pair], reward: Callable[[Pair, str], float]) -> list[PairScore]:
    """Scores by a function of the pair and the side."""
    return [
        PairScore(pair_id=pair.id, chosen=reward(pair, "chosen"), rejected=reward(pair, "rejected")) for pair in pairs
    ]


def healthy(pairs: list[Pair], *, signal: float = 1.2, seed: int = 0) -> list[PairScore]:
    """Rewards that know content and nothing of length: about 80% right at signal 1.2."""
    rng = np.random.default_rng([seed, 7])
    return score(pairs, lambda _, side: float(rng.normal(signal if side == "chosen" else 0.0)))


def by_length(pairs: list[Pair], *, noise: float = 0.0) -> list[PairScore]:
    """The length shortcut: reward is the number of characters."""
    rng = np.random.default_rng(11)
    return score(pairs, lambda pair, side: len(getattr(pair, side)) / 100 + noise * float(rng.normal()))


def audited(scores, pairs: list[Pair], **more) -> Audit:
    return audit(scores, pairs, groups=groups_of(pairs), **{"config": QUICK, **more})
