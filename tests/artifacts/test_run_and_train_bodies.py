"""run.json, train.json and the seal of a checkpoint: the bytes they had before they were typed, old ones read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.checkpoint_body import CheckpointBody
from assay.artifacts.files import write_json
from assay.artifacts.run_body import MachineBody, RunBody
from assay.artifacts.train_body import TrainBody
from assay.errors import ArtifactError

BEGUN: dict[str, Any] = {
    "name": "a",
    "status": "running",
    "key": "sha256:1",
    "command": "assay reward pairs.jsonl",
    "created": "2026-11-26T03:24:47+00:00",
    "assay_version": "0.1.0",
    "config": {"train": {"seeds": [0, 1], "learning_rate": 5e-05, "head_learning_rate": None}, "criteria": None},
    "inputs": {"pairs.jsonl": "sha256:2"},
    "machine": {"cpus": 2, "memory_gib": 23.5, "python": "3.11.7", "platform": "Linux"},
    "versions": {"torch": "2.13.0"},
}
DONE = BEGUN | {
    "status": "done",
    "base": {"name": "minilm", "fingerprint": "sha256:3", "kind": "encoder"},
    "seeds": [0, 1],
    "length_gate": {
        "kept": 6, "dropped": 1, "max_tokens": 64, "by_side": {"chosen": 1}, "by_category": {"none": 1},
        "by_reason": {"too_long": 1},
    },
    "data": {"path": "pairs.jsonl", "sha256": "sha256:2", "rows": 7, "simulated": False, "oracle": None},
    "stages": [
        {"name": "split", "seconds": 0.02, "tokens": None}, {"name": "train seed 0", "seconds": 1.5, "tokens": 99},
    ],
}  # fmt: skip
SEED: dict[str, Any] = {
    "seed": 0,
    "identity": {"model": {"base": "minilm", "revision": None}, "seed": 0, "data": {"train": "sha256:4"}},
    "inputs": {"train": "sha256:4"},
    "base": {"name": "minilm", "fingerprint": "sha256:3"},
    "config": {"epochs": 1.0, "batch_pairs": 32, "save_every": 100},
    "report_to": [],
    "pairs": 5,
    "steps": 1,
    "tokens": 99,
    "seconds": 1.5,
    "stages": {"train": 1.0, "score": 0.0},
    "pairs_per_second": 5.0,
    "tokens_per_second": 99.0,
    "held_out": {"accuracy": 1.0, "n": 2, "ties": 0, "margin": None},
    "self_checks": {
        "reload_equal": {
            "name": "reload_equal", "passed": True, "worst": 0.0, "tolerance": 1e-05, "meaning": "Not saved.",
            "informative": False, "rows": 4,
        }
    },
    "files": {"scores.jsonl": "sha256:5"},
    "threads": 1,
    "processes": 1,
    "versions": {"assay": "0.1.0"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value"), [(RunBody, BEGUN), (RunBody, DONE), (TrainBody, SEED)], ids=["begun", "done", "seed"]
)
def test_what_was_written_before_precision_was_chosen_is_read_and_written_alike(
    kind: type[RunBody | TrainBody], value: dict[str, Any], tmp_path: Path
) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    write_json(old, kind.SCHEMA, value)
    body = kind.read(old)
    assert body.precision is None
    body.write(new)
    assert new.read_bytes() == old.read_bytes()


def test_a_run_grows_by_what_its_stages_say(tmp_path: Path) -> None:
    begun = RunBody.model_validate(BEGUN)
    done = begun.with_more(**{name: value for name, value in DONE.items() if name not in BEGUN}, status="done")
    done.write(tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text()) == {"schema": "run/1", **DONE}
    assert begun.status == "running"
    assert isinstance(done.machine, MachineBody)
    with pytest.raises(ValueError, match="lenght_gate"):
        begun.with_more(lenght_gate=DONE["length_gate"])


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [
        (RunBody, DONE | {"machine": {"cpus": "many"}}, "machine.cpus"),
        (RunBody, DONE | {"colour": "red"}, "colour"),
        (TrainBody, SEED | {"held_out": {"accuracy": "good"}}, "held_out.accuracy"),
        (CheckpointBody, {"identity": {}}, "files"),
    ],
)
def test_what_is_not_as_it_says_is_refused_in_a_sentence(
    kind: type[RunBody | TrainBody | CheckpointBody], value: dict[str, Any], named: str, tmp_path: Path
) -> None:
    write_json(tmp_path / "a.json", kind.SCHEMA, value)
    with pytest.raises(ArtifactError, match=f"says it is {kind.SCHEMA}, but {named}.* is not what that holds"):
        kind.read(tmp_path / "a.json")
