"""Checkpoints that are whole or ignored, and belong to one experiment. Knows files and hashes; knows no model.

transformers.Trainer writes a checkpoint file by file, so a kill can leave part of one. A checkpoint counts only once
`complete.json` stands in it: written last, renamed into place, holding the hash of every other file and what the
checkpoint belongs to.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.artifacts.files import differences, read_json, sha256_file, write_json
from assay.errors import ArtifactError

SCHEMA = "checkpoint/1"
TRAIN_SCHEMA = "train/1"
MARKER = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint and the optimiser steps it holds."""

    folder: Path
    step: int


def seal(folder: Path, *, identity: Mapping[str, Any]) -> None:
    """Declare a checkpoint whole, and remove the older ones beside it."""
    files = {str(path.relative_to(folder)): sha256_file(path) for path in _files(folder)}
    write_json(folder / MARKER, SCHEMA, {"identity": dict(identity), "files": files})
    for other in _checkpoints(folder.parent):
        if other.folder != folder:
            remove(other.folder)


def latest(root: Path, *, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The whole checkpoint with most steps, or None; torn ones are removed.

    Raises ArtifactError if it belongs to another configuration, other data or another base.
    """
    for found in sorted(_checkpoints(root), key=lambda one: -one.step):
        body = _marker(found.folder)
        if body is None:
            remove(found.folder)
            continue
        refuse_other(body["identity"], identity, where=found.folder)
        return found
    return None


def begun(root: Path) -> Mapping[str, Any] | None:
    """The identity of the experiment a seed's folder has, by train.json or a whole checkpoint, or None."""
    done = root / "train.json"
    if done.exists():
        found: Mapping[str, Any] = read_json(done, TRAIN_SCHEMA)["identity"]
        return found
    bodies = [_marker(one.folder) for one in sorted(_checkpoints(root), key=lambda one: -one.step)]
    return next((body["identity"] for body in bodies if body is not None), None)


def refuse_other(before: Mapping[str, Any], now: Mapping[str, Any], *, where: Path) -> None:
    """Raises ArtifactError that names what differs between two experiments."""
    changed = differences(before, now)
    if changed:
        raise ArtifactError(
            f"{where} belongs to another experiment: {'; '.join(changed[:4])}. "
            "Give --out another folder, or delete this one to start afresh."
        )


def remove(folder: Path) -> None:
    """Delete a checkpoint, its marker first, so that a kill meanwhile leaves nothing that looks whole."""
    (folder / MARKER).unlink(missing_ok=True)
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


def _marker(folder: Path) -> dict[str, Any] | None:
    """The marker of a whole checkpoint, or None for a torn one."""
    try:
        body = read_json(folder / MARKER, SCHEMA)
        whole = all(sha256_file(folder / name) == digest for name, digest in body["files"].items())
    except (ArtifactError, OSError, KeyError):
        return None
    return body if whole else None


def _checkpoints(root: Path) -> list[Checkpoint]:
    if not root.is_dir():
        return []
    found = [(path, _NAME.fullmatch(path.name)) for path in root.iterdir() if path.is_dir()]
    return [Checkpoint(path, int(match[1])) for path, match in found if match]


def _files(folder: Path) -> list[Path]:
    found = [Path(base, name) for base, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.name != MARKER and not path.name.endswith(".tmp"))
