"""Pairs with texts, and the margins of rewards that go by length, style or origin to a known degree.

People choose by sigmoid(t), t their utility difference; a right reward gives t, a blurred one t plus noise, a planted
one adds `strength` of an attribute in standard deviations of t. So what an audit ought to name is known.
Knows texts and numbers; knows no audit. Shapes: N pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.records import Pair, PairScore

Array = npt.NDArray[np.float64]
Taste = Literal["length", "shape", "markdown", "exclamation", "generator"]
GENERATORS = ("ada", "bert", "cleo", "dora", "emil")
OPENINGS = ("Well,", "Then", "Here", "This", "That", "So", "First", "Now")
SPREAD = 2.0  # sd of people's utility difference in log odds: a right reward is right in about 80%


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleWorld:
    """pairs: as people labelled them; scores: of the planted reward; groups: prompt of each pair."""

    pairs: list[Pair]
    scores: list[PairScore]
    groups: list[str]


def style_world(
    count: int,
    *,
    seed: int,
    people: dict[Taste, float] | None = None,
    reward: dict[Taste, float] | None = None,
    noise: float = 0.0,
    alike: bool = False,
) -> StyleWorld:
    """`count` pairs, two a prompt.

    people: weight of a taste in what people choose; reward: what the reward adds on top, both in sd of t. noise: of the
    reward, in sd of t. alike: prompts differ in how hard they are, so that pairs of one are right or wrong together.
    """
    rng = np.random.default_rng([seed, 77])
    sides = [_answers(rng, count) for _ in range(2)]
    text_a, text_b = sides[0].texts, sides[1].texts
    content = rng.normal(size=count)
    if alike:
        content *= np.repeat(np.exp(rng.normal(scale=0.9, size=-(-count // 2))), 2)[:count] / 1.5
    tastes = {name: _size(sides[0].tastes[name] - sides[1].tastes[name]) for name in sides[0].tastes}
    liked = content + sum((weight * tastes[name] for name, weight in (people or {}).items()), np.zeros(count))
    utility = SPREAD * liked / np.sqrt(1 + sum(weight**2 for weight in (people or {}).values()))
    wins = rng.random(count) < 1 / (1 + np.exp(-utility))
    planted = sum((weight * tastes[name] for name, weight in (reward or {}).items()), np.zeros(count))
    margin = utility + SPREAD * (planted + noise * rng.normal(size=count))
    pairs, scores = [], []
    for at in range(count):
        up, down = (0, 1) if wins[at] else (1, 0)
        pairs.append(
            Pair(
                id=f"p{at}",
                prompt=f"question {at // 2} of the day",
                chosen=(text_a, text_b)[up][at],
                rejected=(text_a, text_b)[down][at],
                category=f"c{at // 2 % 5}",
                source={"chosen_generator": sides[up].origin[at], "rejected_generator": sides[down].origin[at]},
            )
        )
        signed = float(margin[at]) if wins[at] else -float(margin[at])
        scores.append(PairScore(pair_id=f"p{at}", chosen=signed, rejected=0.0))
    return StyleWorld(pairs=pairs, scores=scores, groups=[str(pair.prompt) for pair in pairs])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    texts: list[str]
    origin: list[str]
    tastes: dict[Taste, Array]


def _answers(rng: np.random.Generator, count: int) -> _Answers:
    words = np.exp(rng.normal(4.0, 0.5, size=count)).astype(int) + 5
    marks = np.where(rng.random(count) < 0.5, rng.poisson(4, size=count), 0)
    shouts = rng.poisson(0.5, size=count)
    origin = rng.integers(0, len(GENERATORS), size=count)
    opening = rng.integers(0, len(OPENINGS), size=count)
    texts = []
    for at in range(count):
        body = " ".join(["plain", "words", "follow", "here."] * (int(words[at]) // 4 + 1))
        items = "".join("\n- one item" for _ in range(int(marks[at])))
        texts.append(f"{OPENINGS[opening[at]]} {body}{'!' * int(shouts[at])}{items}")
    log = np.log(words)
    return _Answers(
        texts=texts,
        origin=[GENERATORS[place] for place in origin],
        tastes={
            "length": log,
            "shape": -np.abs(log - 4.0),
            "markdown": np.log1p(100 * marks / (words + 3 * marks)),
            "exclamation": np.minimum(shouts, 2).astype(np.float64),
            "generator": (origin == 2).astype(np.float64),
        },
    )


def _size(values: Array) -> Array:
    return np.asarray(values / np.sqrt(np.square(values).mean()))
