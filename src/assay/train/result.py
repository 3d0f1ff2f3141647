"""The artifacts of a finished seed: model folder, self-checks, train.json. Knows no optimiser.

train.json is written last and atomically; a seed with it is finished, a seed without it goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json, sha256_file
from assay.errors import ArtifactError
from assay.models.quiet import quiet
from assay.rewards.reward_model import RewardModel
from assay.train.checkpoint import TRAIN_SCHEMA, refuse_other, remove_all

SCHEMA = TRAIN_SCHEMA
PACKAGES = ("assay", "torch", "transformers", "accelerate", "peft", "tokenizers", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """One finished seed.

    held_out_accuracy: right / held_out, strict; None without held-out pairs of definite label. ties: equal rewards.
    tokens: of all rows the steps ran, padding not counted. seconds: of all stages of the start that finished it, with
    the training seconds of earlier starts. self_checks: by name, each with `passed` and what was measured.
    """

    seed: int
    model_folder: Path
    metrics_path: Path
    scores_path: Path
    held_out_accuracy: float | None
    held_out: int
    ties: int
    seconds: float
    tokens: int
    self_checks: Mapping[str, Any]


def finished(folder: Path, *, identity: Mapping[str, Any]) -> TrainResult | None:
    """The result of a seed that is finished, or None.

    Raises ArtifactError if it belongs to another experiment, or its model is no longer what was trained.
    """
    path = folder / "train.json"
    if not path.exists():
        return None
    body = read_json(path, SCHEMA)
    refuse_other(body["identity"], identity, where=path)
    for name, digest in body["files"].items():
        file = folder / name
        if not file.exists() or sha256_file(file) != digest:
            raise ArtifactError(f"{file} is not what this seed wrote. Delete {folder} to train it again.")
    remove_all(folder)  # a kill may have come between train.json and their removal
    return read_result(folder)


def read_result(folder: Path) -> TrainResult:
    """A finished seed's result from its train.json."""
    body = read_json(folder / "train.json", SCHEMA)
    return TrainResult(
        seed=body["seed"],
        model_folder=folder / "model",
        metrics_path=folder / "metrics.jsonl",
        scores_path=folder / "scores.jsonl",
        held_out_accuracy=body["held_out"]["accuracy"],
        held_out=body["held_out"]["n"],
        ties=body["held_out"]["ties"],
        seconds=body["seconds"],
        tokens=body["tokens"],
        self_checks=body["self_checks"],
    )


def save_model(reward_model: RewardModel, folder: Path, *, provenance: Mapping[str, Any]) -> None:
    """Save beside `folder` and rename, so that `folder` holds a whole model or is not there."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    for old in (temporary, folder):
        shutil.rmtree(old, ignore_errors=True)
    with quiet():
        reward_model.save(temporary, provenance=dict(provenance))
    temporary.rename(folder)


def hashes(folder: Path, *names: str) -> dict[str, str]:
    """Hash of every file under the named files and folders of a seed, by path relative to the seed."""
    found: list[Path] = []
    for path in (folder / name for name in names):
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in found}
