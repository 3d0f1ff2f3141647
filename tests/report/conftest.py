from pathlib import Path

import pytest

from assay.artifacts.run_folder import RunFolder
from tests.support.made_run import make_run


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run with every artifact. Shared: tests that change artifacts make their own."""
    return make_run(tmp_path_factory.mktemp("runs") / "support-desk")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A small run to take apart."""
    return make_run(tmp_path / "small", pairs=60, seeds=2)
