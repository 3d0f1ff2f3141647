"""The trackers of one training as one, which never fails: what a tracker raises ends that tracker, and is said once.

A training of days is worth more than its curves, so nothing here raises but an interruption by a person.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from assay.artifacts.tracking_body import TrackedBody
from assay.errors import first_line
from assay.tracking.tensorboard_tracker import TensorBoardTracker
from assay.tracking.tracker import TrackedRun, Tracker
from assay.tracking.trackio_tracker import TrackioTracker
from assay.tracking.wandb_tracker import WandbTracker

OPENERS: Mapping[str, Callable[[TrackedRun], Tracker]] = {
    "tensorboard": TensorBoardTracker,
    "trackio": TrackioTracker,
    "wandb": WandbTracker,
}


def ours(names: Sequence[str]) -> tuple[str, ...]:
    """Of names of reporters those that are tracked here; the others are transformers' own."""
    return tuple(name for name in names if name in OPENERS)


def installed(name: str) -> bool:
    """Whether the library behind one of OPENERS is there."""
    return importlib.util.find_spec(name) is not None


class Trackers:
    """Opened trackers by name; `say` gets a line when one fails."""

    def __init__(self, names: Sequence[str], run: TrackedRun, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._open: dict[str, Tracker] = {}
        self._places: dict[str, str | None] = dict.fromkeys(names)
        self._failed: dict[str, str] = {}
        for name in names:
            self._try(name, partial(self._begin, name, run), "did not start")

    def _begin(self, name: str, run: TrackedRun) -> None:
        tracker = OPENERS[name](run)
        self._open[name] = tracker
        self._places[name] = tracker.place

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Points of curves; what is no finite number is left out, since some trackers take nothing else."""
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        if finite:
            self._each(lambda one: one.figures(step, finite), f"stopped at step {step}")

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None:
        finite = [float(value) for value in values if math.isfinite(value)]
        if finite:
            self._each(lambda one: one.histogram(step, name, finite), f"stopped at step {step}")

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None:
        self._each(lambda one: one.keep(words, files), "did not keep the report")

    def close(self) -> None:
        self._each(lambda one: one.close(), "did not close")

    def told(self, seed: int | None) -> tuple[TrackedBody, ...]:
        """Where the training of `seed` is tracked, or was until a tracker failed."""
        return tuple(
            TrackedBody(tracker=name, place=place, seed=seed, failed=self._failed.get(name))
            for name, place in self._places.items()
        )

    def _each(self, act: Callable[[Tracker], None], what: str) -> None:
        for name, tracker in list(self._open.items()):
            self._try(name, partial(act, tracker), what)

    def _try(self, name: str, act: Callable[[], None], what: str) -> None:
        try:
            act()
        except (Exception, SystemExit) as error:  # a library that exits for want of a login is a tracker that fails
            self._open.pop(name, None)
            self._failed[name] = f"{what}: {first_line(error)}"
            self._say(f"{name} {what} ({first_line(error)}); training goes on without it.")
