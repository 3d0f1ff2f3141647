"""Replace a module's forward for a while, so that nothing of it stays, on the module or on copies made meanwhile.

Knows modules; knows not what replaces them.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def replaced(module: nn.Module, forward: Callable[..., object]) -> Iterator[None]:
    """The module's forward replaced, and afterwards as it was found, be it the class's own or another patch."""
    before = module.__dict__.get("forward")
    switched = _Switched(module.forward, forward)
    module.forward = switched
    try:
        yield
    finally:
        switched.stepped_aside = True  # who has wrapped this forward in the meantime keeps his wrapper
        if module.__dict__.get("forward") is switched:
            if before is None:
                del module.forward
            else:
                module.forward = before


class _Switched:
    """A module's forward while it is replaced: the new one until it has stepped aside, and for copies never."""

    def __init__(self, original: Callable[..., object], forward: Callable[..., object]) -> None:
        functools.update_wrapper(self, original)  # callers look at the signature
        self.original, self.forward, self.stepped_aside = original, forward, False

    def __call__(self, *args: object, **kwargs: object) -> object:
        return (self.original if self.stepped_aside else self.forward)(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, object]) -> object:
        return copy.deepcopy(self.original, memo)  # of a method: the copied module's

    def __reduce__(self) -> tuple[object, ...]:
        bound = getattr(self.original, "__self__", None)
        if bound is None:
            return functools.partial, (self.original,)
        return getattr, (bound, "forward")  # when it is read back the class's own: assay is not needed there
