"""assay.json: the same bytes as ever, what is absent left out, and what does not fit refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import write_json
from assay.artifacts.model_body import ModelBody
from assay.errors import ArtifactError
from assay.models.config import ModelConfig
from assay.rewards.reward_model import RewardModel
from assay.rewards.saved_model import ABOUT
from tests.support import bases

# As a run wrote it before its bodies were typed.
OLD: dict[str, Any] = {
    "kind": "encoder",
    "base": {"name": "minilm", "revision": "0.1.0", "fingerprint": "sha256:c0"},
    "config": {
        "base": "minilm",
        "revision": None,
        "max_tokens": 512,
        "lora_dropout": 0.0,
        "lora_targets": "all-linear",
    },
    "new_weights": ["classifier.bias", "classifier.weight"],
    "render": {"hash": "sha256:5e", "parts": {"template": "sha256:1", "tokenizer": "sha256:2"}, "notes": []},
    "trained_on": {"loss": {"label_smoothing": 0.1}, "seed": 0, "data": {"train": "sha256:7"}, "pairs": 400},
    "versions": {"assay": "0.1.0", "torch": "2.13.0"},
}
PUBLISHED = {name: value for name, value in OLD.items() if name not in {"base", "config", "new_weights"}}


@pytest.mark.parametrize("body", [OLD, PUBLISHED])
def test_what_was_written_before_is_read_and_written_alike(body: dict[str, Any], tmp_path: Path) -> None:
    digest = write_json(tmp_path / "old.json", "model/1", body)
    found = ModelBody.read(tmp_path / "old.json")
    assert found.write(tmp_path / "new.json") == digest
    assert (tmp_path / "new.json").read_bytes() == (tmp_path / "old.json").read_bytes()
    assert (found.origin is None) == (body is PUBLISHED)


@pytest.mark.parametrize("change", [{"kind": "neither"}, {"unheard_of": 1}, {"render": {"hash": "sha256:5e"}}])
def test_what_does_not_fit_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    write_json(tmp_path / "old.json", "model/1", OLD | change)
    with pytest.raises(ArtifactError, match=next(iter(change))):
        ModelBody.read(tmp_path / "old.json")


def test_a_model_saved_again_says_what_it_was_made_from(tmp_path: Path) -> None:
    base = bases.save(tmp_path / "base", "llama")
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0).save(tmp_path / "one", {"pairs": 3})
    again = RewardModel.load(tmp_path / "one")
    again.save(tmp_path / "two")
    one, two = (json.loads((tmp_path / name / ABOUT).read_text()) for name in ("one", "two"))
    assert list(one) == list(two) == ["schema", *OLD]
    for part in ("kind", "base", "config", "new_weights", "versions"):
        assert two[part] == one[part]
    assert two["render"]["hash"] == one["render"]["hash"]
    assert (one["trained_on"], two["trained_on"]) == ({"pairs": 3}, {})
    (tmp_path / "one" / ABOUT).unlink()  # as others publish theirs
    published = RewardModel.load(tmp_path / "one")
    assert published.origin is None
    published.save(tmp_path / "three")
    assert list(json.loads((tmp_path / "three" / ABOUT).read_text())) == ["schema", *PUBLISHED]
