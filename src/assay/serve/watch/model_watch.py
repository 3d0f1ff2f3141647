"""What is known of the rewards that one model gave while it was served: figures, and the rules that may go off.

A rule takes a prompt once, by one of its answers that is drawn, and a request once, by its share of rows without a
reward. Two threads meet here: `told` and what it counts belong to the loop that answers, everything else to the thread
that watches. Knows numbers; knows no request and no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from assay.serve.watch.config import WatchConfig
from assay.serve.watch.known_answers import BatchStates, KnownShare
from assay.serve.watch.seen_prompts import SeenPrompts
from assay.serve.watch.training_rewards import HIGH, LOW, TrainingRewards
from assay.serve.watch.watch_rules import Alarm, AlarmRule, drift_rule, limit_rule
from assay.serve.watch.watched_rows import OUTCOMES, Outcome, WatchedRows
from assay.stats.draws import stream
from assay.stats.intervals import Array
from assay.stats.running_values import ERROR_LEVEL, RunningValues
from assay.stats.unknown import Unknown

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Whose rewards are watched, and against what."""

    name: str
    fingerprint: str
    training: TrainingRewards | Unknown
    known: KnownShare | Unknown


class ModelWatch:
    """One model's watch, from when it began to be served. until: when another took over."""

    def __init__(self, of: Watched, config: WatchConfig) -> None:
        self.of, self.config = of, config
        self.since, self.until = now(), ""
        self.outcomes: Counter[Outcome] = Counter()
        self.dropped = self.taken = self.lost = 0  # rows
        self.rewards = RunningValues(stream(0, "watch: sample"), sample=config.sample, recent=config.recent)
        self.prompts = SeenPrompts()
        self.above = self.below = 0
        self._rng = stream(0, "watch: answers drawn")
        self.rules = {rule.name: rule for rule in rules_of(of, config)}

    def told(self, rows: WatchedRows, *, room: bool) -> None:
        """Count the rows of a request. room: they go on to `take`; without it they are counted only."""
        self.outcomes.update(rows.outcomes)
        if not room:
            self.dropped += rows.rows

    def take(self, requests: Sequence[WatchedRows]) -> list[Alarm]:
        """Take requests in their order; the alarms of rules that went off."""
        values = np.array([value for one in requests for value in one.values], dtype=np.float64)
        self.rewards.add(values)
        training = self.of.training
        if isinstance(training, TrainingRewards):
            self.above += int((values > training.high).sum())
            self.below += int((values < training.low).sum())
        return [alarm for one in requests for alarm in self._rules_on(one)]

    def measure(self, batch: BatchStates) -> list[Alarm]:
        """Take what the head read of some rows of a batch."""
        shares = batch.share.measure(batch)
        return [alarm for share in shares for alarm in self._rule("outside", share)]

    def _rules_on(self, rows: WatchedRows) -> Iterator[Alarm]:
        if rows.rows:
            yield from self._rule("too_long", rows.outcomes["too_long"] / rows.rows)
            yield from self._rule("refused", 1 - rows.outcomes["rewarded"] / rows.rows)
        by_prompt: dict[int, list[float]] = {}
        for prompt, value in zip(rows.prompts, rows.values, strict=True):
            by_prompt.setdefault(prompt, []).append(value)
        for prompt, several in by_prompt.items():
            if self.prompts.first(prompt):
                # One of them, and not their mean: it is distributed as answers are, however many a prompt has.
                yield from self._rules_on_one(several[int(self._rng.integers(len(several)))])

    def _rules_on_one(self, value: float) -> Iterator[Alarm]:
        yield from self._rule("drift", value)
        training = self.of.training
        if isinstance(training, TrainingRewards):
            yield from self._rule("above", float(value > training.high))
            yield from self._rule("below", float(value < training.low))

    def _rule(self, name: str, value: float) -> Iterator[Alarm]:
        rule = self.rules.get(name)
        if rule is not None and (alarm := rule.add(value)) is not None:
            yield alarm

    def figures(self) -> dict[str, object]:
        """All of it, as `GET /v1/watch` tells it."""
        # Others are answered meanwhile: each count is read once, the one that has all last, and the rest found from
        # these. So they add up whatever comes in between.
        taken, dropped, outcomes = self.taken, self.dropped, Counter(self.outcomes)
        rows: dict[str, int] = {name: outcomes[name] for name in OUTCOMES}
        waiting = outcomes.total() - outcomes["failed"] - dropped - taken
        known = self.of.known
        return {
            "model": self.of.name,
            "fingerprint": self.of.fingerprint,
            "since": self.since,
            "until": self.until or None,
            "rows": {
                **rows, "answered": outcomes.total(), "watched": taken - self.lost, "dropped": dropped,
                "lost": self.lost, "waiting": waiting,
            },
            "prompts": {"different": self.prompts.fresh, "again": self.prompts.again},
            "rewards": {
                **described(self.rewards), "rank_error": self.rewards.rank_error, "rank_error_level": ERROR_LEVEL,
                "recent": of_values(self.rewards.recent),
            },
            "training": self._training(),
            "fit": {"unknown": known.reason} if isinstance(known, Unknown) else known.figures(),
            "rules": [self._told_of(rule) for rule in self.rules.values()],
        }  # fmt: skip

    def _training(self) -> dict[str, object]:
        training = self.of.training
        if isinstance(training, Unknown):
            return {"unknown": training.reason}
        told = {"source": training.source, **of_values(training.values)}
        if not self.rewards.count:
            return {**told, "served": None}
        recent = self.rewards.recent
        served: dict[str, object] = {
            "shift": shift(self.rewards.mean, training.values),
            "recent_shift": shift(float(recent.mean()), training.values),
            "distance": training.distance(self.rewards.sample),
            "recent_distance": training.distance(recent),
            f"above_{HIGH:g}": self.above / self.rewards.count,
            f"below_{LOW:g}": self.below / self.rewards.count,
        }
        return {**told, "served": served}

    @staticmethod
    def _told_of(rule: AlarmRule) -> dict[str, object]:
        alarms = [{"at": one.at, "observations": one.observations, "told": one.told} for one in rule.alarms]
        return {
            "rule": rule.name,
            "limit": rule.limit,
            "observations": rule.observations,
            "evidence": rule.evidence,
            "goes_off_at": 1 / rule.chance,
            "false_alarms": rule.chance,
            "gone_off": rule.gone_off,
            "alarms": alarms,
        }


def rules_of(of: Watched, config: WatchConfig) -> list[AlarmRule]:
    """The rules that are asked for and can be kept; the chance of a false alarm is shared among them."""
    shares = {
        "above": (config.above, "the share of served rewards above 95% of the training's held-out ones"),
        "below": (config.below, "the share of served rewards below 95% of the training's held-out ones"),
        "too_long": (config.too_long, "the share of rows that are too long"),
        "refused": (config.refused, "the share of rows without a reward"),
    }
    stated = {name: (limit, told) for name, (limit, told) in shares.items() if limit is not None}
    known = isinstance(of.known, KnownShare)
    count = len(stated) + (config.drift == "on") + known
    if not count:
        return []
    chance = config.false_alarms / count
    rules = [limit_rule(name, limit, chance, told) for name, (limit, told) in stated.items()]
    if config.drift == "on":
        rules.insert(0, drift_rule(chance, stream(0, "watch: ties")))
    if isinstance(of.known, KnownShare):
        told = "the share of prompts' answers outside what the reward knows"
        if config.outside is not None:
            rules.append(limit_rule("outside", config.outside, chance, told))
        else:  # half of the chance is that of a calibration this far off
            rules.append(limit_rule("outside", of.known.allowed(chance / 2), chance / 2, told))
    return rules


def described(values: RunningValues) -> dict[str, object]:
    """Of all values: count, moments and ends exactly, quantiles of the sample."""
    if not values.count:
        return {"n": 0}
    told = dict(zip(map(str, QUANTILES), values.quantiles(QUANTILES), strict=True))
    sd = values.sd if values.count > 1 else None
    return {
        "n": values.count, "mean": values.mean, "sd": sd, "min": values.low, "max": values.high, "quantiles": told,
    }  # fmt: skip


def of_values(values: Array) -> dict[str, object]:
    """The same of values that are all there."""
    if not values.size:
        return {"n": 0}
    told = dict(zip(map(str, QUANTILES), np.quantile(values, QUANTILES).tolist(), strict=True))
    sd = float(values.std(ddof=1)) if values.size > 1 else None
    return {
        "n": len(values), "mean": float(values.mean()), "sd": sd, "min": float(values.min()),
        "max": float(values.max()), "quantiles": told,
    }  # fmt: skip


def shift(mean: float, training: Array) -> float | None:
    """A mean less the training's, in standard deviations of the training's; None where those are all the same."""
    sd = float(training.std(ddof=1))
    return (mean - float(training.mean())) / sd if sd > 0 else None


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
