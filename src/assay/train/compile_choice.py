"""Whether a run's layers are compiled: what is asked, what the folder began with, or None until it is measured.

A folder keeps what it began with, on any machine: compiled layers round elsewhere, so half a training of each would be
another experiment. Knows folders and figures; knows no model (`compile_trial.py` does).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from assay.artifacts.compile_body import CompileBody, Reason
from assay.errors import ConfigError
from assay.train.checkpoint import begun

FILE = "compile.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileChoice:
    """Whether layers are compiled, as asked and as used, and why; figures as in CompileBody.

    kept: whether an earlier start or an earlier seed of the run made it.
    """

    asked: Literal["auto", "on", "off"]
    used: Literal["on", "off"]
    reason: Reason
    passes: int | None = None
    plain_seconds: float | None = None
    compiled_seconds: float | None = None
    error: str | None = None
    kept: bool = False

    @property
    def body(self) -> CompileBody:
        """The choice as artifacts hold it."""
        return CompileBody(
            asked=self.asked,
            used=self.used,
            reason=self.reason,
            passes=self.passes,
            plain_seconds=self.plain_seconds,
            compiled_seconds=self.compiled_seconds,
            error=self.error,
        )

    @classmethod
    def of(cls, body: CompileBody) -> CompileChoice:
        return cls(**body.model_dump())


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileTerms:
    """When compiling counts as paying. Internal: tests change it to have a short run compiled; no option reads it.

    seconds: what compiling costs by the clock, about a minute on two cores, whatever the number of layers: they share
    one code. gain: the share of a pass that compiling plausibly saves (measured: 6 to 12%). clearly: how many times the
    cost must be saved by then. faster: compiled code is kept if a pass takes at most this share of a plain one's time.
    """

    seconds: float = 60.0
    gain: float = 0.08
    clearly: float = 2.0
    faster: float = 0.97


def tell(choice: CompileChoice) -> None:
    """Log the choice in one line."""
    _log.info(line(choice))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiling:
    """How a seed comes by its choice: the one its run has made, whom to tell of a new one, what counts as paying."""

    choice: CompileChoice | None = None
    tell: Callable[[CompileChoice], None] = tell
    terms: CompileTerms = field(default_factory=CompileTerms)


def choose(asked: Literal["auto", "on", "off"], *, stored: CompileChoice | None) -> CompileChoice | None:
    """Compile or not: what is asked for; for `auto` what is stored; None where that has to be measured yet."""
    if asked != "auto":
        return CompileChoice(asked=asked, used=asked, reason="asked")
    return None if stored is None else replace(stored, asked=asked, kept=True)


def refuse_in_parts(choice: CompileChoice | None) -> None:
    """Raises ConfigError for layers that are to be compiled, where processes hold parts of the weights."""
    if choice is not None and choice.used == "on":
        began = "this run began with compiled layers, and" if choice.kept else "train.compile=on:"
        raise ConfigError(
            f"{began} weights that processes hold in parts (FSDP) are gathered around plain layers only. Give another "
            "folder (out) with train.compile=off, or train with whole weights (examples/accelerate/ddp.yaml)."
        )


def line(choice: CompileChoice) -> str:
    """The choice and what stands behind it, as a user is told."""
    return f"layers     {'compiled' if choice.used == 'on' else 'plain'}: {why(choice)}"


def why(choice: CompileChoice) -> str:
    """What stands behind the choice, in words."""
    if choice.kept:
        return "as this run began"
    match choice.reason:
        case "asked":
            return "as asked for"
        case "gpu":
            return "auto compiles on CPUs only"
        case "rows":
            return "auto compiles decoders whose rows share a pass, which these do not"
        case "layers":
            return "the model does not keep its layers in one list"
        case "compiler":
            return "compiling needs a C++ compiler (g++, clang++ or CXX), and none was found"
        case "parts":
            return "weights held in parts are gathered around plain layers"
        case "short":
            return f"compiling would not pay in a run as short as this ({_length(choice)})"
        case "failed":
            return f"compiling failed ({choice.error})"
        case "differs":
            return "compiled layers gave other losses on this run's rows"
        case "measured":
            return _measured(choice)


def stored_in(folder: Path) -> CompileChoice | None:
    """What a seed's folder trains with: by compile.json, else by its experiment's identity; None if nothing began."""
    if (folder / FILE).exists():
        return CompileChoice.of(CompileBody.read(folder / FILE))
    identity = begun(folder)
    # Before `auto` was the default, layers ran plain unless `on` was asked for.
    return None if identity is None else (named_in(identity) or CompileChoice(asked="off", used="off", reason="asked"))


def named_in(options: Mapping[str, JsonValue]) -> CompileChoice | None:
    """The choice that an artifact's options (train.compile) tell; None where they leave it to be measured."""
    train = options.get("train")
    match train.get("compile") if isinstance(train, Mapping) else None:
        case "on":
            return CompileChoice(asked="on", used="on", reason="asked")
        case "off":
            return CompileChoice(asked="off", used="off", reason="asked")
    return None


def store(choice: CompileChoice, folder: Path) -> None:
    """Say in a seed's folder what `auto` became there, before the first step."""
    if choice.asked == "auto" and not (folder / FILE).exists() and int(os.environ.get("RANK", "0")) == 0:
        folder.mkdir(parents=True, exist_ok=True)
        choice.body.write(folder / FILE)


def _length(choice: CompileChoice) -> str:
    passes = f"{choice.passes:,} passes" if choice.passes is not None else "few passes"
    return passes if choice.plain_seconds is None else f"{passes} of {choice.plain_seconds:.2g} s"


def _measured(choice: CompileChoice) -> str:
    plain, compiled = choice.plain_seconds, choice.compiled_seconds
    if plain is None or compiled is None:
        return "as measured"
    return f"a pass takes {compiled:.3g} s of processor time compiled and {plain:.3g} s plain"
