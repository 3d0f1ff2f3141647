"""The benchmarks' contenders without sharing, which tests compare with too: written once, in benchmarks/unshared.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_PATH = Path(__file__).parents[2] / "benchmarks" / "unshared.py"
_spec = importlib.util.spec_from_file_location("benchmarks_unshared", _PATH)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

last_places = _module.last_places
plain_last_hidden = _module.plain_last_hidden
side_by_side = _module.side_by_side
