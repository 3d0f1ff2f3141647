"""Rows of a score file as they are scored, kept at once: what was killed goes on where it stopped, with the same rows.

Groups are asked about in batches that depend on the groups alone, and only whole batches are taken from the file: a
model's last digits may depend on what is scored beside, so the batches of the second run are those of the first.
Knows groups and rows; knows no suite.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from assay.artifacts.files import dumps
from assay.records import Candidates
from assay.scorers.group_digest import group_digest
from assay.scorers.protocol import Scorer, keeps_replies
from assay.scorers.scores_file import PromptRow, prompt_rows

BATCH = 512  # answers asked about between two writes: passes are well filled, and a kill costs seconds


def unfinished_rows(
    scorer: Scorer, groups: Sequence[Candidates], path: Path, *, batch: int = BATCH
) -> Iterator[PromptRow]:
    """One row a group, in order; those of the batches in `path` are not asked for, the others are added to it.

    The file belongs to one scorer and one list of groups: what it holds of others stays unread. Rows are on disk
    before they are given on. A scorer with a cache of its own is left to that: a server's failure of an hour ago must
    not be kept for an answer. Raises InputError if the scorer does not keep its promises.
    """
    if keeps_replies(scorer):
        yield from prompt_rows(scorer, groups)
        return
    known = _known(path)
    fingerprint = scorer.fingerprint
    for part in _batches(groups, batch):
        key = group_digest(fingerprint, part)
        rows = known.get(key)
        if rows is None:
            rows = list(prompt_rows(scorer, part))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as stream:
                stream.write(dumps({"key": key, "rows": rows}) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        yield from rows


def _known(path: Path) -> dict[str, list[PromptRow]]:
    """Batches that stand whole in the file. A line torn by a kill is cut off: what is appended must not touch it."""
    if not path.exists():
        return {}
    whole, _, torn = path.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(path, path.stat().st_size - len(torn))
    found: dict[str, list[PromptRow]] = {}
    for line in whole.splitlines():
        try:
            row = orjson.loads(line)
            found[str(row["key"])] = row["rows"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue  # asking the scorer again is always right
    return found


def _batches(groups: Sequence[Candidates], most: int) -> Iterator[list[Candidates]]:
    batch: list[Candidates] = []
    held = 0
    for group in groups:
        batch.append(group)
        held += len(group.answers)
        if held >= most:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
