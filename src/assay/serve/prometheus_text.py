"""Counters, gauges and histograms as Prometheus reads them (text format 0.0.4). Of one event loop; knows no reward.

By hand: what a server of one process needs of prometheus_client is these few lines, without its registry of a process.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Counter:
    """Only grows; one value a set of labels."""

    name: str
    help: str
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, amount: float = 1.0, **labels: str) -> None:
        key = tuple(sorted(labels.items()))
        self.values[key] = self.values.get(key, 0.0) + amount

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.help, "counter")
        for labels, value in sorted(self.values.items()) or [((), 0.0)]:
            yield f"{self.name}{_labels(labels)} {_number(value)}"


@dataclass(slots=True)
class Gauge:
    """What it says now, asked for when it is read."""

    name: str
    help: str
    value: Callable[[], float]
    labels: Callable[[], Labels] = tuple

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.help, "gauge")
        yield f"{self.name}{_labels(self.labels())} {_number(self.value())}"


@dataclass(slots=True)
class Readings:
    """Values by labels that stand elsewhere, asked for when they are read; none where nothing is known."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    read: Callable[[], Mapping[Labels, float]]

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.help, self.kind)
        for labels, value in sorted(self.read().items()):
            yield f"{self.name}{_labels(labels)} {_number(value)}"


@dataclass(slots=True)
class Histogram:
    """Counts by upper bounds, with their sum."""

    name: str
    help: str
    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.help, "histogram")
        below = 0
        for bound, count in zip((*self.bounds, math.inf), self.counts, strict=True):
            below += count
            yield f"{self.name}_bucket{_labels((('le', _number(bound)),))} {below}"
        yield f"{self.name}_sum {_number(self.sum)}"
        yield f"{self.name}_count {below}"


def exposition(families: Sequence[Counter | Gauge | Histogram | Readings]) -> str:
    """All of them, a line each value.

    >>> rows = Counter("rows_total", "Rows.")
    >>> rows.add(2, dialect="vllm")
    >>> print(exposition([rows]), end="")
    # HELP rows_total Rows.
    # TYPE rows_total counter
    rows_total{dialect="vllm"} 2
    """
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _head(name: str, told: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    told = ((key, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for key, value in labels)
    return "{" + ",".join(f'{key}="{value}"' for key, value in told) + "}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
