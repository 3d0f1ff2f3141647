"""Which precision a run trains in: what is asked, what the folder began with, or what is measured here.

A folder keeps what it began with, on any machine: half a training in another precision would be another experiment.
Knows folders and figures; knows no model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from assay.artifacts.files import read_json, write_json
from assay.models import precision
from assay.models.precision import Asked, Precision
from assay.train.checkpoint import begun
from assay.train.optimiser import threads_within_quota
from assay.train.trainer_options import leave_together

SCHEMA = "precision/1"
FILE = "precision.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The precision asked for and the one used.

    factor: bf16's rate by float32's where the choice was made; None if it was not measured.
    kept: whether an earlier start made it.
    """

    asked: Asked
    used: Precision
    factor: float | None = None
    kept: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"asked": self.asked, "used": self.used, "factor": self.factor}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Choice:
        return cls(asked=body["asked"], used=body["used"], factor=body["factor"])


def choose(asked: Asked, *, stored: Choice | None) -> Choice:
    """What to train in: what is asked for; for `auto` what is stored, else what is measured.

    Several processes all take the first one's choice, for their clocks may differ.
    """
    if asked != "auto":
        return Choice(asked=asked, used=asked)
    if stored is not None:
        found = replace(stored, asked=asked, kept=True)
    else:
        with threads_within_quota():
            found = Choice(asked=asked, used=precision.resolve(asked), factor=round(precision.measured().factor, 3))
    return _of_the_first(found)


def weighed(choice: Choice, warn: Callable[[str], None]) -> Choice:
    """The choice, with the factor measured where bf16 was asked for; warns if this machine is slower with it."""
    if choice.asked != "bf16" or choice.factor is not None:
        return choice
    with threads_within_quota():
        factor = round(precision.measured().factor, 3)
    if factor < 1:
        warn(
            f"Warning: train.precision=bf16, but {rate(factor)}. It is obeyed; float32 would train faster here, and "
            "auto would take it."
        )
    return replace(choice, factor=factor)


def why(choice: Choice) -> str:
    """What stands behind the choice, in words."""
    return "as this run began" if choice.kept or choice.factor is None else rate(choice.factor)


def rate(factor: float) -> str:
    return f"this machine multiplies bf16 at {factor:.2g} times float32's rate"


def stored_in(folders: Iterable[Path]) -> Choice | None:
    """What the first seed folder that has begun trains in: by precision.json, else by its experiment's identity."""
    for folder in folders:
        if (folder / FILE).exists():
            return Choice.from_dict(read_json(folder / FILE, SCHEMA))
        identity = begun(folder)
        if identity is not None:
            used = identity["train"]["precision"]
            return Choice(asked=used, used=used)
    return None


def store(choice: Choice, folder: Path) -> None:
    """Say in a seed's folder what `auto` became there, before the first step."""
    if choice.asked == "auto" and not (folder / FILE).exists() and int(os.environ.get("RANK", "0")) == 0:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FILE, SCHEMA, choice.to_dict())


def _of_the_first(choice: Choice) -> Choice:
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return choice
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    PartialState(cpu=not torch.cuda.is_available())  # as Trainer will do
    leave_together()
    found: list[Choice] = broadcast_object_list([choice])
    return found[0]
