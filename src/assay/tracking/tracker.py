"""What every tracker offers: figures and histograms by step, and at the end files with a few words about them.

A tracker may raise whatever its library raises: `Trackers` (all_trackers.py) is who catches it. Knows numbers and
files; knows no training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Options = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """What is tracked. name: for people; group: of all seeds of a run; key: the same when the same training goes on.

    folder: for what a tracker keeps on disk. options: what is trained, nested. step: the last step that counts, after
    which a training goes on; 0 at a start.
    """

    name: str
    group: str
    key: str
    folder: Path
    options: Options = field(default_factory=dict)
    step: int = 0


class Tracker(Protocol):
    """One place where a training is shown. `place` says to people where that is."""

    @property
    def place(self) -> str: ...

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Points of curves, by the curve's name."""

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None:
        """How values are distributed at a step; they are finite and at least one."""

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None:
        """Files to keep beside the curves, and words that are shown with them, by name."""

    def close(self) -> None:
        """Everything has been told: send what is waiting."""
