"""complete.json, in a checkpoint that is whole: which experiment it belongs to, and the hash of every file of it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import JsonValue

from assay.artifacts.body import Body


class CheckpointBody(Body):
    """identity: as train.json holds it. files: `sha256:...` by path inside the checkpoint."""

    SCHEMA: ClassVar[str] = "checkpoint/1"

    identity: dict[str, JsonValue]
    files: dict[str, str]
