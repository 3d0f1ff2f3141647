"""Does it pay to compile the layers of this training? Tried on its own rows, in training mode, and thrown away.

1) refuse what is not worth a try: a GPU, rows that share no pass, no compiler, too few passes; 2) time one plain pass
and count the passes; 3) only if a plausible gain would clearly exceed what compiling costs: compile, and time the same
rows compiled and plain in turns. Weights, gradients and random numbers are as before, and so are the layers: whoever
wants them compiled compiles them anew, since code that has met this trial's rows might be other code than that of a run
which goes on later and tries nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from assay.engine.compiled import (
    compile_layers,
    has_compiler,
    keeps_its_layers,
    leaving_gradients,
    plain_again,
    plain_layers,
)
from assay.engine.micro_batches import pass_tokens
from assay.train.batches import batches_of, cut, tokens_of
from assay.train.compile_choice import CompileChoice, CompileTerms
from assay.train.loop import Training, chosen_precision
from assay.train.objective import AnyObjective, Example
from assay.train.trainer_options import own_randomness

TURNS = 2  # of plain and compiled passes each
_PASSES = 2 * TURNS + 3  # that a whole trial runs: plain for a start, compiled for a start, the turns, a small one
_TOLERANCE = 1e-3, 5e-2  # of the largest loss or figure: in float32, and in bf16


def tried(training: Training, *, device: torch.device, terms: CompileTerms) -> CompileChoice:
    """Compiled or plain layers, whichever is measured to train this faster; never raises for what compiling does.

    device: where the model will be trained; it has to be there already if that is the CPU.
    """
    objective = training.objective
    plain = CompileChoice(asked="auto", used="off", reason="short")
    if device.type != "cpu":
        return replace(plain, reason="gpu")
    if training.held.in_parts:
        return replace(plain, reason="parts")
    with own_randomness(training.seed), leaving_gradients(objective.model):
        batch = _first_batch(training)
        if objective.layout(batch) != "shared":
            return replace(plain, reason="rows")
        if not keeps_its_layers(objective.model):
            return replace(plain, reason="layers")
        if not has_compiler():
            return replace(plain, reason="compiler")
        budget = pass_tokens(training.config.micro_tokens, device.type, "shared")
        parts = cut(batch, micro_tokens=budget, layout="shared")
        first, last = ([batch[place] for place in places] for places in (parts[0], parts[-1]))
        # In passes of the first one's size: the last of a batch is smaller.
        passes = training.steps * sum(map(tokens_of, batch)) / sum(map(tokens_of, first))
        found = replace(plain, passes=round(passes))
        if terms.gain * passes < terms.clearly * _PASSES:  # would not pay for the trial, however long a pass takes
            return found
        timed = Timed(objective, half=chosen_precision(training.config) == "bf16")
        timed.run(last)
        started = time.perf_counter()
        found = replace(found, plain_seconds=_rounded(timed.run(first)[0]))
        seconds = time.perf_counter() - started  # by the clock, since that is what a user waits for
        if terms.gain * passes * seconds < terms.clearly * (terms.seconds + _PASSES * seconds):
            return found
        return _compiled_or_plain(timed, first, found, terms)


@dataclass(frozen=True, slots=True)
class Timed:
    """Passes of an objective, forward and backward as training runs them, with the processor time of each.

    Processor time, and not the clock's: what else the machine does must not decide between two ways that differ by a
    tenth.
    """

    objective: AnyObjective
    half: bool

    def run(self, examples: Sequence[Example]) -> tuple[float, Tensor]:
        """Seconds of one pass, and what came out of it: losses and figures, one after the other."""
        self.objective.model.train()
        started = time.process_time()
        with torch.enable_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            losses = self.objective.losses(examples, examples, examples)
        torch.autograd.backward(losses.loss_B.sum())
        seconds = time.process_time() - started
        return seconds, torch.cat([losses.loss_B, *losses.figures.values()]).detach().float()


def _first_batch(training: Training) -> list[Example]:
    """What the first optimiser step of this process runs: rows as the run has them, drawn at random."""
    examples = training.objective.examples
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    batches = batches_of(examples, training.config, seed=training.seed, rank=rank, world=world)
    return [examples[drawn.index] for drawn in next(iter(batches))]


def _compiled_or_plain(
    timed: Timed, examples: Sequence[Example], found: CompileChoice, terms: CompileTerms
) -> CompileChoice:
    """The choice after compiling and timing both ways; the layers are plain again, and were they only in part."""
    objective = timed.objective
    try:
        compile_layers(objective.model, objective.forward, precision="bf16" if timed.half else "float32")
        chosen = _faster_of(timed, examples, found, terms)
    except Exception as error:  # whatever a compiler raises: nobody asked for it, so it costs nobody the run
        chosen = replace(found, reason="failed", error=in_one_line(error))
    finally:
        plain_again(objective.model)
    return chosen


def _faster_of(timed: Timed, examples: Sequence[Example], found: CompileChoice, terms: CompileTerms) -> CompileChoice:
    """Both ways in turns over compiled layers, the least time of each: what else happens only ever adds to one."""
    timed.run(examples)  # whatever these rows still need compiled is no part of a pass
    plain, compiled = [], []
    for _ in range(TURNS):
        with plain_layers("on"):
            plain.append(timed.run(examples))
        compiled.append(timed.run(examples))
    seconds, compiled_seconds = (min(taken for taken, _ in way) for way in (plain, compiled))
    found = replace(found, plain_seconds=_rounded(seconds), compiled_seconds=_rounded(compiled_seconds))
    if not _agree([out for _, out in plain], [out for _, out in compiled], half=timed.half):
        return replace(found, reason="differs")
    used: Literal["on", "off"] = "on" if compiled_seconds <= terms.faster * seconds else "off"
    return replace(found, reason="measured", used=used)


def _agree(plain: Sequence[Tensor], compiled: Sequence[Tensor], *, half: bool) -> bool:
    """Whether compiled layers give what plain ones give; with dropout, which no two passes share, if all is finite."""
    if not all(bool(out.isfinite().all()) for out in (*plain, *compiled)):
        return False
    if not torch.equal(plain[0], plain[1]):
        return True
    allowed = _TOLERANCE[half] * float(plain[0].abs().max())
    return all(float((out - plain[0]).abs().max()) <= allowed for out in compiled)


def in_one_line(error: Exception) -> str:
    """The kind of an error and its first words, for a sentence."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}"[:200]


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.4g}")
