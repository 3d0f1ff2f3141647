"""A checkpoint is whole or ignored, and belongs to one experiment."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import ArtifactError
from assay.train.checkpoint import SEAL, latest, remove_all, seal

IDENTITY = {"seed": 0, "train": {"epochs": 2.0, "learning_rate": 1e-5}, "base": "sha256:1"}


def write(root: Path, step: int) -> Path:
    folder = root / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights %d" % step)
    (folder / "optimizer.pt").write_bytes(b"moments %d" % step)
    return folder


def test_the_latest_whole_one_counts_and_torn_ones_go(tmp_path: Path) -> None:
    assert latest(tmp_path / "nowhere", identity=IDENTITY) is None
    seal(write(tmp_path, 9), identity=IDENTITY)
    torn = write(tmp_path, 12)
    found = latest(tmp_path, identity=IDENTITY)
    assert found is not None
    assert found.step == 9
    assert not torn.exists()


def test_sealing_removes_the_older_ones(tmp_path: Path) -> None:
    for step in (3, 6, 9):
        seal(write(tmp_path, step), identity=IDENTITY)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-9"]
    remove_all(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["changed", "missing", "marker"])
def test_a_damaged_checkpoint_is_ignored(tmp_path: Path, damage: str) -> None:
    folder = write(tmp_path, 3)
    seal(folder, identity=IDENTITY)
    if damage == "changed":
        (folder / "optimizer.pt").write_bytes(b"moments")
    elif damage == "missing":
        (folder / "model.safetensors").unlink()
    else:
        (folder / SEAL).write_bytes((folder / SEAL).read_bytes()[:40])
    assert latest(tmp_path, identity=IDENTITY) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed was 0, is 1"),
        ({"base": "sha256:2"}, "base was 'sha256:1'"),
        ({"train": {"epochs": 3.0, "learning_rate": 1e-5}}, "train.epochs was 2.0, is 3.0"),
    ],
)
def test_another_experiment_is_refused_by_name(tmp_path: Path, change: dict[str, object], named: str) -> None:
    seal(write(tmp_path, 3), identity=IDENTITY)
    with pytest.raises(ArtifactError, match=named):
        latest(tmp_path, identity=IDENTITY | change)
