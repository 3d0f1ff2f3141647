"""The authors' own scoring functions, from an unpacked wheel, without importing what the package imports.

rewardbench 0.1.4 pins an old transformers and installs top-level packages `tests` and `scripts`, so it cannot stand
beside this checkout. ASSAY_TEST_REWARDBENCH names a folder into which its wheel was unpacked:
`pip download --no-deps rewardbench==0.1.4` and `python -m zipfile -e rewardbench-*.whl FOLDER`.
"""

from __future__ import annotations

import ast
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

VARIABLE = "ASSAY_TEST_REWARDBENCH"


def rewardbench_file(name: str) -> ast.Module:
    """A module of the wheel, parsed. The test is skipped, and says so, where there is none."""
    path = Path(os.environ.get(VARIABLE, "")) / "rewardbench" / name
    if VARIABLE not in os.environ or not path.is_file():
        pytest.skip(f"{VARIABLE} names no unpacked rewardbench 0.1.4")
    return ast.parse(path.read_text(encoding="utf-8"))


def function(name: str, *, beside: tuple[str, ...] = ()) -> Callable[..., Any]:
    """A function of rewardbench.utils, and those it calls, run by themselves."""
    datasets, pandas = pytest.importorskip("datasets"), pytest.importorskip("pandas")
    tree = rewardbench_file("utils.py")
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in (name, *beside)]
    names: dict[str, Any] = {"np": np, "pd": pandas, "math": math, "Dataset": datasets.Dataset}
    exec(compile(ast.Module(wanted, []), "rewardbench/utils.py", "exec"), names)
    return names[name]  # type: ignore[no-any-return]


def constant(name: str) -> Any:
    """A literal of rewardbench.constants."""
    for node in rewardbench_file("constants.py").body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return ast.literal_eval(node.value)
    raise AssertionError(f"rewardbench.constants has no {name}")
