"""A training's steps to its trackers: every row of metrics.jsonl as points, rewards as histograms. Hung onto Trainer.

Trackers of ours get figures and histograms; the other reporters that transformers knows keep their own callbacks, and
are held to the same: none of them stops a training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState
from transformers import TrainingArguments as Arguments

from assay.artifacts.tracking_body import TRACKING, TrackedBody, TrackingBody
from assay.errors import first_line
from assay.tracking.all_trackers import OPENERS, Trackers, ours
from assay.tracking.tracker import TrackedRun
from assay.train.objective import Seen

SIDES = "chosen", "rejected"
ROOMS = ("held_out", "validation")  # of which figures' names say that they are; all others are of training
SHOWN_OF = 512  # training pairs in one histogram: a step's 32 would show noise


class Tracking(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Tells trackers of every row and every evaluation.

    seen: what the step just made saw; held_out: the last evaluation's scores. Both with `chosen` and `rejected`.
    """

    def __init__(
        self, trackers: Trackers, *, seen: Callable[[], Sequence[Seen]], held_out: Callable[[], Sequence[object]]
    ) -> None:
        self.trackers, self.seen, self.held_out = trackers, seen, held_out
        self._rewards: list[tuple[float, float]] = []

    def on_log(
        self,
        args: Arguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        step, rows = state.global_step, logs or {}
        figures = {curve_of(name): value for name, value in rows.items() if isinstance(value, int | float)}
        self.trackers.figures(step, figures)
        if "loss" not in rows:
            return
        found = [one.figures for one in self.seen()]
        self._rewards += [(one["chosen"], one["rejected"]) for one in found if one.keys() >= set(SIDES)]
        if len(self._rewards) >= SHOWN_OF:
            self._show(step, "train", self._rewards)
            self._rewards = []

    def on_evaluate(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        pairs = [(getattr(one, "chosen", None), getattr(one, "rejected", None)) for one in self.held_out()]
        known = [(a, b) for a, b in pairs if isinstance(a, int | float) and isinstance(b, int | float)]
        self._show(state.global_step, "held_out", known)

    def _show(self, step: int, room: str, pairs: Sequence[tuple[float, float]]) -> None:
        for place, side in enumerate(SIDES):
            self.trackers.histogram(step, f"{room}/rewards_{side}", [pair[place] for pair in pairs])
        self.trackers.histogram(step, f"{room}/margins", [chosen - rejected for chosen, rejected in pairs])


def curve_of(name: str) -> str:
    """The curve of a figure, in the folder of what it is of.

    >>> curve_of("loss"), curve_of("held_out_accuracy")
    ('train/loss', 'held_out/accuracy')
    """
    room = next((one for one in ROOMS if name.startswith(f"{one}_")), None)
    return f"train/{name}" if room is None else f"{room}/{name.removeprefix(f'{room}_')}"


@contextmanager
def tracked(
    names: Sequence[str], run: TrackedRun, *, seed: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Trackers]:
    """Trackers for as long as a training runs; `folder` gets tracking.json, which says where, and what failed."""
    trackers = Trackers(ours(names), run, say=say)
    path = folder / TRACKING

    def write() -> None:
        others = tuple(TrackedBody(tracker=name, place=None, seed=seed) for name in names if name not in OPENERS)
        if names:
            TrackingBody(tracked=(*trackers.told(seed), *others)).write(path)

    write()  # at once: whoever looks for a training that was killed needs it most
    try:
        yield trackers
    finally:
        trackers.close()
        write()


def guard(trainer: Trainer, say: Callable[[str], None]) -> None:
    """Put every reporter that transformers made behind a guard: what it raises ends it, and not the training."""
    from transformers.integrations import INTEGRATION_TO_CALLBACK

    kinds = {kind: name for name, kind in INTEGRATION_TO_CALLBACK.items()}
    callbacks = trainer.callback_handler.callbacks
    callbacks[:] = [Guarded(one, kinds[type(one)], say) if type(one) in kinds else one for one in callbacks]


class Guarded(TrainerCallback):  # type: ignore[misc]
    """A callback whose failures are said once and cost nothing but the callback."""

    def __init__(self, inner: TrainerCallback, name: str, say: Callable[[str], None]) -> None:
        self.inner, self.name, self.say = inner, name, say
        self.over = False

    def __getattribute__(self, name: str) -> object:
        return partial(self.call, name) if name.startswith("on_") else super().__getattribute__(name)

    def call(self, event: str, *told: object, **more: object) -> object:
        if self.over:
            return None
        try:
            return getattr(self.inner, event)(*told, **more)
        except Exception as error:
            self.over = True
            self.say(f"{self.name} failed ({first_line(error)}); training goes on without it.")
            return None
