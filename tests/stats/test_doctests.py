"""The examples in the docstrings of stats are run; every module has one."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import assay.stats

MODULES = [name for _, name, _ in pkgutil.iter_modules(assay.stats.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"assay.stats.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
