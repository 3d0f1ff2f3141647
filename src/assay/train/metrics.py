"""What is logged: exact figures over all pairs of a step, and a file with each step once. Knows rewards, not models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from assay.artifacts.files import dumps, write_jsonl
from assay.records import Pair, PairScore


@dataclass(frozen=True, slots=True)
class Seen:
    """One pair of one optimiser step: the rewards it got before the update, and its loss in nats."""

    pair_id: str
    chosen: float
    rejected: float
    loss: float
    tokens: int


def step_metrics(seen: Sequence[Seen]) -> dict[str, float | int]:
    """Figures over all pairs of one optimiser step: no means of means, extremes that are extremes.

    accuracy: share of pairs with chosen > rejected strictly. reward_*: over the rewards of both sides; std with n.
    """
    chosen, rejected = np.array([s.chosen for s in seen]), np.array([s.rejected for s in seen])
    rewards = np.concatenate([chosen, rejected])
    return {
        "loss": float(np.mean([s.loss for s in seen])),
        "accuracy": float(np.mean(chosen > rejected)),
        "margin": float(np.mean(chosen - rejected)),
        "reward_mean": float(rewards.mean()),
        "reward_min": float(rewards.min()),
        "reward_max": float(rewards.max()),
        "reward_std": float(rewards.std()),
        "pairs": len(seen),
        "tokens": sum(s.tokens for s in seen),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Held-out accuracy, exact and per pair: right / n. Equal rewards are wrong and counted as ties.

    accuracy is None when no held-out pair has a definite label; n counts those that have.
    """

    accuracy: float | None
    n: int
    ties: int
    margin: float | None


def held_out_accuracy(scores: Sequence[PairScore], pairs: Sequence[Pair]) -> HeldOut:
    """Accuracy over the pairs with a definite label; scores and pairs in the same order."""
    definite = [score for score, pair in zip(scores, pairs, strict=True) if pair.label == "chosen"]
    n = len(definite)
    return HeldOut(
        accuracy=sum(score.chosen > score.rejected for score in definite) / n if n else None,
        n=n,
        ties=sum(score.chosen == score.rejected for score in definite),
        margin=float(np.mean([score.margin for score in definite])) if n else None,
    )


class MetricsFile:
    """metrics.jsonl with one row a step: a row is held until its step is over, then appended.

    After a kill, `resume(step)` drops what came later than the checkpoint and a last line that was torn. writes: of
    several processes, which all see the same figures, one writes.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path, self.writes = path, writes
        self._pending: dict[str, Any] = {}

    def resume(self, step: int) -> None:
        """Keep the rows of steps up to `step`; 0 starts the file."""
        kept = [row for row in _whole_rows(self.path) if row["step"] <= step]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(self.path, kept)

    def add(self, step: int, values: Mapping[str, Any]) -> None:
        """Put values into the row of `step`, which must be the row being written or a new one."""
        if self._pending and self._pending["step"] != step:
            self.flush()
        self._pending = {"step": step, **{k: v for k, v in self._pending.items() if k != "step"}, **values}

    def flush(self) -> None:
        """Append the row being written, if there is one."""
        if self._pending and self.writes:
            with self.path.open("ab") as stream:
                stream.write(dumps(self._pending) + b"\n")
        self._pending = {}


def _whole_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                break
    return rows
