"""One thread a process, since the suite runs in parallel and OpenMP teams that share cores wait for each other; and
Hypothesis without a deadline, since no test measures time.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For tests that compare bits: torch runs on one thread, also where the machine's owner set another number."""
    from tests.support.threads import one_thread  # not above: not every test needs torch

    with one_thread():
        yield
