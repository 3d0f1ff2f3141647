"""One private PostgreSQL for the session, and places for studies on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.study.harness import Cluster, cannot_run_postgres


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = cannot_run_postgres()
    if reason:
        pytest.skip(reason)
    import tempfile

    # pytest's own folders are closed to other users, and PostgreSQL does not run as root.
    with tempfile.TemporaryDirectory(prefix="assay-pg-") as name:
        Path(name).chmod(0o755)
        made = Cluster(Path(name) / "cluster")
        made.start()
        yield made
        made.stop()


NUMBERS = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a study can be made: a new SQLite file, then a new schema of a real PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "study.db")
    return request.getfixturevalue("cluster").url(f"study_{NUMBERS.__next__()}")


@pytest.fixture
def sqlite_place(tmp_path: Path) -> str:
    return str(tmp_path / "study.db")


Clock = Callable[[], float]
