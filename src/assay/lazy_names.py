"""The doors of packages: names that are imported when they are first asked for, so that a command's --help is fast."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def door(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`: each of `names` comes from the module beside it. Raises AttributeError for others."""

    def opened(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(names[name]), name)

    return opened
