"""Three annotators: how each sees two answers' worth, and which side it votes for. Knows utility; writes no row."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from assay.simulate.paired_votes import Side
from assay.simulate.support.utility import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """One voter: votes left with probability carelessness / 2 + (1 - carelessness) * sigmoid(sharpness * seen).

    seen = utility(left) - utility(right) + length * (words apart / 10) + courtesy * (courtesies apart).
    favours_left: share of votes cast for the left answer unread; zero unless planted (defect position_bias).
    """

    name: str
    sharpness: float
    length: float
    courtesy: float
    carelessness: float
    favours_left: float = 0.0


ANNOTATORS = (
    Annotator(name="annotator-1", sharpness=2.0, length=0.15, courtesy=0.05, carelessness=0.04),
    Annotator(name="annotator-2", sharpness=1.6, length=0.0, courtesy=0.25, carelessness=0.06),
    Annotator(name="annotator-3", sharpness=1.8, length=-0.05, courtesy=0.05, carelessness=0.12),
)


def vote(rng: random.Random, left: Answer, right: Answer, *, annotator: Annotator) -> tuple[Side, bool]:
    """The side this annotator picks, and whether it was for standing on the left."""
    if annotator.favours_left and rng.random() < annotator.favours_left:
        return "left", True
    if rng.random() < annotator.carelessness:
        return ("left" if rng.random() < 0.5 else "right"), False
    seen = left.utility - right.utility + annotator.length * (left.words - right.words) / 10
    seen += annotator.courtesy * (left.courtesies - right.courtesies)
    return ("left" if rng.random() < 1 / (1 + math.exp(-annotator.sharpness * seen)) else "right"), False


def annotators(*, favours_left: float) -> tuple[Annotator, ...]:
    """The three; favours_left: the share of the last one's votes that go to the left answer unread."""
    return (*ANNOTATORS[:2], replace(ANNOTATORS[2], favours_left=favours_left))
