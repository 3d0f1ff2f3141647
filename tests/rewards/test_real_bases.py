"""The real bases of the catalogue, through pip, where an index is in reach; cached for the whole session and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import ModelNotFoundError
from assay.models.catalogue import CATALOGUE
from assay.models.config import ModelConfig
from assay.models.resolve import resolve
from assay.rewards import self_checks
from assay.rewards.reward_model import RewardModel
from tests.rewards.test_reward_model import plain_scores
from tests.support import bases


def base(name: str) -> str:
    try:
        return resolve(name).name
    except ModelNotFoundError as error:
        pytest.skip(f"no package index in reach: {error}")


@pytest.mark.parametrize("name", ["minilm", pytest.param("smollm2", marks=pytest.mark.slow)])
def test_a_real_base_becomes_a_reward_model_that_opens_everywhere(name: str, tmp_path: Path) -> None:
    model = RewardModel.from_base(ModelConfig(base=base(name)), seed=0)
    rows = model.renderer.encode_many(bases.ROWS)
    model.save(tmp_path / "saved")
    check = self_checks.reload_equal(model, tmp_path / "saved", rows)
    assert check.passed, check
    np.testing.assert_allclose(plain_scores(tmp_path / "saved", bases.ROWS), model.score(rows), atol=1e-5)
    assert self_checks.batch_invariance(model, rows).passed
    assert self_checks.padding_side(model, rows).passed
    assert model.origin is not None
    assert model.origin.base.name == name
    assert model.most_tokens == {"minilm": 512, "smollm2": 8192}[name]


def test_minilm_is_never_cut_although_its_package_says_128(tmp_path: Path) -> None:
    model = RewardModel.from_base(ModelConfig(base=base("minilm")), seed=0)
    long = "word " * 300
    assert len(model.encode("a", long).ids) == 300 + 1 + 3


def test_the_catalogue_pins_what_it_says() -> None:
    assert {name: entry.version for name, entry in CATALOGUE.items()} == {"minilm": "0.1.0", "smollm2": "0.1.2"}
    assert all(len(entry.sha256) == 64 for entry in CATALOGUE.values())
