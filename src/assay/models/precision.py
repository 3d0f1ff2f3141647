"""Which precision this machine trains fastest in: measured on a linear layer, never looked up by a processor's name.

Instructions for bf16 are missing on many processors, which then emulate it at a tenth of float32's rate. Knows torch's
autocast; knows no model and no run.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # a run that asks for no `auto` measures nothing, and one that is refused needs no torch
    import torch
    from torch import Tensor

Precision = Literal["float32", "bf16"]
Asked = Literal["auto", "float32", "bf16"]

CLEARLY = 1.2  # how many times float32's rate bf16 must reach to be taken: less is within what a busy machine varies by
_FEW, _TOKENS, _WIDE = 128, 2048, 384
# A GPU is asked at the size of its own passes. A layer that a CPU needs milliseconds for is over there before the next
# kernel has been started: both then cost the starting, bf16 more of it, and an H100 measured 0.8 times float32's rate.
_GPU_TOKENS, _GPU_WIDE = 16_384, 2048
_TRIES, _SECONDS = 5, 0.3  # of each at most, and for all of them
_HOPELESS = 1.5  # where bf16 takes this much longer already on few tokens, many would only cost time


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Seconds of one forward and backward pass of a linear layer, the best of several tries, as training runs it."""

    float32_seconds: float
    bf16_seconds: float

    @property
    def factor(self) -> float:
        """bf16's rate as a multiple of float32's: above 1, bf16 is faster."""
        return self.float32_seconds / self.bf16_seconds


def resolve(asked: Asked) -> Precision:
    """The precision to train in: the one asked for; for `auto`, bf16 where it is measured to be clearly faster."""
    if asked != "auto":
        return asked
    return "bf16" if measured().factor >= CLEARLY else "float32"


@functools.cache
def measured() -> Measurement:
    """float32 and bf16 on this machine, measured once a process, in well under a second."""
    import torch

    if torch.cuda.is_available():
        return _both(_GPU_TOKENS, _GPU_WIDE, "cuda")
    few = _both(_FEW, _WIDE, "cpu")
    return few if few.bf16_seconds > _HOPELESS * few.float32_seconds else _both(_TOKENS, _WIDE, "cpu")


def _both(tokens: int, wide: int, device: str) -> Measurement:
    """The best of several tries of each, taken in turns so that what else the machine does meets both."""
    import torch

    draw = torch.Generator(device).manual_seed(0)  # torch's own state belongs to whoever trains
    input_TI = torch.randn(tokens, wide, generator=draw, device=device).requires_grad_()
    weight_OI = torch.randn(4 * wide, wide, generator=draw, device=device).requires_grad_()
    taken: dict[Precision, list[float]] = {"float32": [], "bf16": []}
    end = time.perf_counter() + _SECONDS
    for _ in range(_TRIES):
        for precision, seconds in taken.items():
            seconds.append(_pass(input_TI, weight_OI, precision))
        if time.perf_counter() > end:
            break
    # The least of each: whatever else the machine does only ever adds to a time.
    return Measurement(float32_seconds=min(taken["float32"]), bf16_seconds=min(taken["bf16"]))


def _pass(input_TI: Tensor, weight_OI: Tensor, precision: Precision) -> float:
    """Seconds of forward and backward under autocast or without."""
    import torch

    input_TI.grad = weight_OI.grad = None
    _wait(input_TI.device)
    start = time.perf_counter()
    with torch.enable_grad(), torch.autocast(input_TI.device.type, torch.bfloat16, enabled=precision == "bf16"):
        found_TO = torch.nn.functional.linear(input_TI, weight_OI)
    torch.autograd.backward(found_TO, torch.ones_like(found_TO))
    _wait(input_TI.device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)
