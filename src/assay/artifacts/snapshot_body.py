"""What stands beside a snapshot of served scores: whose they are, whether texts are in the file, what was left out."""

from __future__ import annotations

from typing import ClassVar, Literal

from assay.artifacts.body import Body


class SnapshotBody(Body):
    """One file of served scores, a line a group. texts: what of requests stands in the file beside names and scores.

    groups, answers: written. repeats: groups asked for again under a name that is in the file, which are not. left_out:
    groups for which the file, the disk or the server had no room; why: the first reason. ended: absent while it is
    written.
    """

    SCHEMA: ClassVar[str] = "snapshot/1"

    file: str
    model: str
    fingerprint: str
    texts: Literal["none", "prompts and answers"]
    groups: int
    answers: int
    repeats: int
    left_out: int
    why: str | None
    began: str
    ended: str | None
    assay_version: str
