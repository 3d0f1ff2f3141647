"""How surprising one figure is: its p value, what it is called if found, and whether it could have been found.

Knows no finding and no family: `family` judges the alarms of an audit together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Strength = Literal["warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """How sure one figure is that something is wrong.

    p: the chance, from 0 to 1, of a figure at least as bad where nothing is wrong beyond what is tolerated; one-sided.
    strength: what the finding is called if the alarm goes off. power: the chance that a defect of the size said to
    matter would have gone off by itself at the family's level; None where it is not known. weight: its share of the
    family's error rate. Most figures tolerate something, and nearly never go off where nothing is wrong: what they do
    not use is given to those that stand at their limit on sound data and would else find least.
    """

    p: float
    strength: Strength = "warning"
    power: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.p) and 0 <= self.p <= 1):
            raise ValueError(f"an alarm's p value is {self.p}")
