"""Published data, where they are: beside the checkout in `shared/data`, or where ASSAY_TEST_DATA points."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("ASSAY_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


def real(name: str) -> Path:
    """A file or folder of the published data; the test is skipped, and says so, where it is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here; ASSAY_TEST_DATA may name the folder it is in")
    return path
