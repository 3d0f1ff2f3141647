"""Rules that go off: drift of a stream, and shares over a limit.

Each is looked at after every observation, and ever goes off with a stated probability while all is well; once it has,
it begins anew.

Knows numbers; knows no request.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from assay.stats.late_bets import MeanOverLimit
from assay.stats.rank_drift import BINS_FROM, RankDrift

KEPT = 20  # alarms that are remembered of a rule
QUIET = 600.0  # seconds in which a rule that goes off again and again is not said again


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A rule that went off. observations: since it began, or went off before."""

    rule: str
    at: str
    observations: int
    told: str


class Evidence(Protocol):
    """What a rule rests on: add an observation, get what a stake of 1 against "all is well" has become."""

    def add(self, value: float) -> float: ...


class AlarmRule:
    """One rule. chance: of a false alarm, ever; fresh: its evidence at the beginning; words: of it, when it goes off.

    limit: of a share, where the rule has one.
    """

    def __init__(
        self, name: str, *, chance: float, fresh: Callable[[], Evidence], words: Callable[[Evidence], str],
        limit: float | None = None,
    ) -> None:  # fmt: skip
        self.name, self.chance, self.fresh, self.words, self.limit = name, chance, fresh, words, limit
        self.bets, self.evidence, self.observations, self.gone_off = fresh(), 1.0, 0, 0
        self.alarms: deque[Alarm] = deque(maxlen=KEPT)
        self._said: float | None = None

    def add(self, value: float) -> Alarm | None:
        """Take one more observation; the alarm, where it goes off at it."""
        self.observations += 1
        self.evidence = self.bets.add(value)
        if self.evidence < 1 / self.chance:
            return None
        at = datetime.now(UTC).isoformat(timespec="seconds")
        alarm = Alarm(rule=self.name, at=at, observations=self.observations, told=self.words(self.bets))
        self.alarms.append(alarm)
        self.gone_off += 1
        # From here on it is another question: whether what is served changes once more, or is still over the limit.
        self.bets, self.evidence, self.observations = self.fresh(), 1.0, 0
        return alarm

    def to_be_said(self) -> bool:
        """Whether a line about it is due; from now on none is for QUIET seconds."""
        now = time.monotonic()
        if self._said is not None and now - self._said < QUIET:
            return False
        self._said = now
        return True


def drift_rule(chance: float, rng: np.random.Generator) -> AlarmRule:
    """Goes off when rewards of new prompts no longer rank evenly among those before them."""

    def words(bets: Evidence) -> str:
        assert isinstance(bets, RankDrift)
        return f"served rewards are {bets.direction} than they were: {bets.count:,} prompts ranked"

    return AlarmRule("drift", chance=chance, fresh=lambda: RankDrift(rng, bins_from=BINS_FROM), words=words)


def limit_rule(name: str, limit: float, chance: float, told: str) -> AlarmRule:
    """Goes off when the mean of a share is over `limit`, whatever it may be below it. told: what share it is."""

    def words(_bets: Evidence) -> str:
        return f"{told} is over {limit:.4g}"

    return AlarmRule(name, chance=chance, fresh=lambda: MeanOverLimit(limit), words=words, limit=limit)
