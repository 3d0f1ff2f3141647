"""A finished seed: its train.json read again, its model folder written whole, its files by hash. Knows no optimiser.

train.json is written last and atomically; a seed with it is finished, a seed without it goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from assay.artifacts.files import sha256_file
from assay.artifacts.train_body import SelfCheckBody, TrainBody
from assay.errors import ArtifactError
from assay.models.quiet import quiet
from assay.train.checkpoint import remove_all
from assay.train.experiment import refuse_other


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """One finished seed.

    figures: of the held-out examples, by name; `n` is how many they are of. tokens: of all rows the steps ran, padding
    not counted. seconds: of all stages of the start that finished it, with the training seconds of earlier starts.
    self_checks: by name, each with `passed` and what was measured.
    """

    seed: int
    model_folder: Path
    metrics_path: Path
    scores_path: Path
    figures: Mapping[str, int | float | None]
    seconds: float
    tokens: int
    self_checks: Mapping[str, SelfCheckBody]

    @property
    def held_out_accuracy(self) -> float | None:
        """Right / held_out, strict; None without held-out pairs of definite label."""
        return self.figures.get("accuracy")

    @property
    def held_out(self) -> int:
        """How many held-out examples the figures are of."""
        return int(self.figures.get("n") or 0)

    @property
    def ties(self) -> int | None:
        """Held-out pairs with equal rewards; None where the method counts none."""
        found = self.figures.get("ties")
        return None if found is None else int(found)


def finished(folder: Path, *, identity: Mapping[str, JsonValue]) -> TrainResult | None:
    """The result of a seed that is finished, or None.

    Raises ArtifactError if it belongs to another experiment, or its model is no longer what was trained.
    """
    path = folder / "train.json"
    if not path.exists():
        return None
    body = TrainBody.read(path)
    refuse_other(body.identity, identity, where=path)
    for name, digest in body.files.items():
        file = folder / name
        if not file.exists() or sha256_file(file) != digest:
            raise ArtifactError(f"{file} is not what this seed wrote. Delete {folder} to train it again.")
    remove_all(folder)  # a kill may have come between train.json and their removal
    return read_result(folder)


def read_result(folder: Path) -> TrainResult:
    """A finished seed's result from its train.json."""
    body = TrainBody.read(folder / "train.json")
    return TrainResult(
        seed=body.seed,
        model_folder=folder / "model",
        metrics_path=folder / "metrics.jsonl",
        scores_path=folder / "scores.jsonl",
        figures=body.held_out,
        seconds=body.seconds,
        tokens=body.tokens,
        self_checks=body.self_checks,
    )


def save_whole(folder: Path, save: Callable[[Path], None]) -> None:
    """Save beside `folder` and rename, so that `folder` holds a whole model or is not there."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    for old in (temporary, folder):
        shutil.rmtree(old, ignore_errors=True)
    with quiet():
        save(temporary)
    temporary.rename(folder)


def hashes(folder: Path, *names: str) -> dict[str, str]:
    """Hash of every file under the named files and folders of a seed, by path relative to the seed."""
    found: list[Path] = []
    for path in (folder / name for name in names):
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in found}
