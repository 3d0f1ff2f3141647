"""assay: preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from assay.version import __version__

if TYPE_CHECKING:
    from assay.api import audit, check, decide, open_scorer, read_pairs, score, split, train_reward

__all__ = ["__version__", "audit", "check", "decide", "open_scorer", "read_pairs", "score", "split", "train_reward"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("assay.api"), name)
    raise AttributeError(f"module 'assay' has no attribute {name!r}")
