"""Which precision a run trains in: what is asked, what the folder began with, or what is measured here.

A folder keeps what it began with, on any machine: half a training in another precision would be another experiment.
Knows folders and figures; knows no model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from assay.artifacts.precision_body import PrecisionBody
from assay.errors import ArtifactError
from assay.models import precision
from assay.models.precision import Asked, Precision
from assay.train.checkpoint import begun
from assay.train.process_group import of_the_first
from assay.train.threads import threads_within_quota

FILE = "precision.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionChoice:
    """The precision asked for and the one used.

    factor: bf16's rate by float32's where the choice was made; None if it was not measured.
    kept: whether an earlier start made it.
    """

    asked: Asked
    used: Precision
    factor: float | None = None
    kept: bool = False

    @property
    def body(self) -> PrecisionBody:
        """The choice as artifacts hold it."""
        return PrecisionBody(asked=self.asked, used=self.used, factor=self.factor)

    @classmethod
    def of(cls, body: PrecisionBody) -> PrecisionChoice:
        return cls(asked=body.asked, used=body.used, factor=body.factor)


def choose(asked: Asked, *, stored: PrecisionChoice | None) -> PrecisionChoice:
    """What to train in: what is asked for; for `auto` what is stored, else what is measured.

    Several processes all take the first one's choice, for their clocks may differ.
    """
    if asked != "auto":
        return PrecisionChoice(asked=asked, used=asked)
    if stored is not None:
        found = replace(stored, asked=asked, kept=True)
    else:
        with threads_within_quota():
            factor = round(precision.measured().factor, 3)
            found = PrecisionChoice(asked=asked, used=precision.resolve(asked), factor=factor)
    return of_the_first(found)


def weighed(choice: PrecisionChoice, warn: Callable[[str], None]) -> PrecisionChoice:
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


def why(choice: PrecisionChoice) -> str:
    """What stands behind the choice, in words."""
    return "as this run began" if choice.kept or choice.factor is None else rate(choice.factor)


def rate(factor: float) -> str:
    return f"this machine multiplies bf16 at {factor:.2g} times float32's rate"


def stored_in(folder: Path) -> PrecisionChoice | None:
    """What a seed's folder trains in: by precision.json, else by its experiment's identity; None if nothing began."""
    if (folder / FILE).exists():
        return PrecisionChoice.of(PrecisionBody.read(folder / FILE))
    identity = begun(folder)
    return None if identity is None else trained_in(identity, where=folder)


def trained_in(options: Mapping[str, JsonValue], *, where: Path) -> PrecisionChoice:
    """The choice that an artifact's options (train.precision) tell. Raises ArtifactError if they tell none."""
    train = options.get("train")
    match train.get("precision") if isinstance(train, Mapping) else None:
        case "float32":
            return PrecisionChoice(asked="float32", used="float32")
        case "bf16":
            return PrecisionChoice(asked="bf16", used="bf16")
    raise ArtifactError(f"{where} does not say which precision it was trained in. Give another folder.")


def store(choice: PrecisionChoice, folder: Path) -> None:
    """Say in a seed's folder what `auto` became there, before the first step."""
    if choice.asked == "auto" and not (folder / FILE).exists() and int(os.environ.get("RANK", "0")) == 0:
        folder.mkdir(parents=True, exist_ok=True)
        choice.body.write(folder / FILE)
