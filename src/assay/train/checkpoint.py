"""Checkpoints that are whole or ignored, and belong to one experiment. Knows files and hashes; knows no model.

transformers.Trainer writes a checkpoint file by file, so a kill can leave part of one. A checkpoint counts only once
`complete.json` stands in it, its seal: written last, renamed into place, holding the hash of every other file and what
the checkpoint belongs to. A file that a kill cut short, or that the disk had not got yet, does not have its hash.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from assay.artifacts.checkpoint_body import CheckpointBody
from assay.artifacts.files import sha256_file
from assay.artifacts.train_body import TrainBody
from assay.errors import ArtifactError
from assay.train.experiment import refuse_other

SEAL = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint and the optimiser steps it holds."""

    folder: Path
    step: int


def seal(folder: Path, *, identity: Mapping[str, JsonValue]) -> None:
    """Declare a checkpoint whole, and only then remove the older ones beside it."""
    files = {str(path.relative_to(folder)): sha256_file(path) for path in _files(folder)}
    CheckpointBody(identity=dict(identity), files=files).write(folder / SEAL)
    # A kill before this leaves two that are whole, of which the later counts; in the other order, it could leave none.
    for other in _checkpoints(folder.parent):
        if other.folder != folder:
            remove(other.folder)


def latest(root: Path, *, identity: Mapping[str, JsonValue]) -> Checkpoint | None:
    """The whole checkpoint with most steps, or None; torn ones are removed.

    Raises ArtifactError if it belongs to another configuration, other data or another base.
    """
    # From the newest: a kill while one was written leaves the one before it, which `seal` had not yet removed.
    for found in sorted(_checkpoints(root), key=lambda one: -one.step):
        body = _sealed(found.folder)
        if body is None:
            remove(found.folder)
            continue
        refuse_other(body.identity, identity, where=found.folder)
        return found
    return None


def begun(root: Path) -> Mapping[str, JsonValue] | None:
    """The identity of the experiment a seed's folder has, by train.json or a whole checkpoint, or None."""
    done = root / "train.json"
    if done.exists():
        return TrainBody.read(done).identity
    bodies = [_sealed(one.folder) for one in sorted(_checkpoints(root), key=lambda one: -one.step)]
    return next((body.identity for body in bodies if body is not None), None)


def remove(folder: Path) -> None:
    """Delete a checkpoint, its seal first, so that a kill meanwhile leaves nothing that looks whole."""
    (folder / SEAL).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_all(root: Path) -> None:
    """Delete every checkpoint under `root`."""
    for found in _checkpoints(root):
        remove(found.folder)


def sweep(root: Path) -> None:
    """Delete what a kill left of files that were being written under temporary names."""
    for path in root.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sealed(folder: Path) -> CheckpointBody | None:
    """The seal of a whole checkpoint, or None for a torn one."""
    try:
        body = CheckpointBody.read(folder / SEAL)
        whole = all(sha256_file(folder / name) == digest for name, digest in body.files.items())
    except (ArtifactError, OSError):  # no seal, or one that names a file which is not there
        return None
    return body if whole else None


def _checkpoints(root: Path) -> list[Checkpoint]:
    if not root.is_dir():
        return []
    found = [(path, _NAME.fullmatch(path.name)) for path in root.iterdir() if path.is_dir()]
    return [Checkpoint(path, int(match[1])) for path, match in found if match]


def _files(folder: Path) -> list[Path]:
    found = [Path(base, name) for base, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.name != SEAL and not path.name.endswith(".tmp"))
