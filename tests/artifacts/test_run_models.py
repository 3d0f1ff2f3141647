"""Which models a run holds: what stands beside its seeds is none of them, and hinders nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.run_models import model_of_a_run, seeds_with
from assay.errors import InputError
from assay.scorers.open import open_scorers


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two seeds, with copies that somebody put beside them."""
    for name in ("seed-0", "seed-10", "seed-0-old", "seed-0.bak", "seed-best", "seed-07", "seed-1"):
        (tmp_path / "run" / name).mkdir(parents=True)
        (tmp_path / "run" / name / "train.json").write_text("{}")
        if name != "seed-1":
            (tmp_path / "run" / name / "model").mkdir()
    return tmp_path / "run"


def test_a_copy_beside_a_seed_is_none_of_the_run(run: Path) -> None:
    assert seeds_with(run, "model") == {0: run / "seed-0/model", 10: run / "seed-10/model"}
    assert [*seeds_with(run, "train.json")] == [0, 1, 10]
    assert [*open_scorers(run)] == [0, 10]
    for name in ("seed-0-old", "seed-best", "seed-07"):
        assert model_of_a_run(run / name / "model") is None


def test_a_model_is_meant_by_its_folder_or_by_the_run_s_only_seed(run: Path) -> None:
    found = model_of_a_run(run / "seed-10/model")
    assert found is not None
    assert (found.run, found.seed, found.seeds, found.folder) == (run, 10, 2, run / "seed-10/model")
    with pytest.raises(InputError, match="name one"):
        model_of_a_run(run)
    with pytest.raises(InputError, match="no model of seed 1; it has 0, 10"):
        model_of_a_run(run, 1)
    assert model_of_a_run(run / "nothing") is None
