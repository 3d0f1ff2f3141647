"""One run for all tests of watching; none of them changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.watch.watched_runs import known_run


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run under a gate that passed, with the cloud of answers that its reward knows beside its model."""
    return known_run(tmp_path_factory.mktemp("watched"))
