"""A folder of parts, a file a block, which is at once the result and what a killed command goes on with.

    part-00000012-KEY-SUM.jsonl    number of the block, digest of who made it and of all texts in it, hash of its bytes
    _assay.json                    whose parts, in which blocks, whether all is done and what was set aside

Rows that changed and files that were half written are never taken for done, and parts of two jobs are never mixed.
Knows jobs, digests and bytes; knows not what the rows are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from assay.artifacts.files import dumps
from assay.bulk.folders import Folder
from assay.bulk.hashed_files import HashedFiles
from assay.errors import ArtifactError

JOB, SCHEMA = "_assay.json", "parts/1"
PartSuffix = Literal[".jsonl", ".parquet"]
KEY = 16  # digits of a block's digest in a name
OTHER_OUT = "Give another --out, or delete what is there."


class SetAsideBlock(BaseModel):
    """Prompts without a part, since they ended every worker that took them."""

    prompts: int
    first: str
    last: str
    why: str


class PartsJob(BaseModel):
    """_assay.json. by: the scorer or policy, as it was named; made: how a policy's answers are drawn, and how many.

    block: prompts in one. threads: of a worker on processors, whose last bits hang on it; None on GPUs. The rest stands
    once all is done. missing: of scores the prompts with an answer that has no reward, of answers those without a text.
    """

    model_config = ConfigDict(extra="forbid")

    holds: Literal["scores", "answers"]
    by: str
    fingerprint: str
    source: str
    block: int
    threads: int | None
    made: dict[str, JsonValue] = {}
    state: Literal["running", "done", "blocks set aside"] = "running"
    blocks: int | None = None
    prompts: int | None = None
    missing: int | None = None
    set_aside: list[SetAsideBlock] = []


class PartsFolder:
    """The parts of one job. said: gets a line for each that is damaged.

    Raises ArtifactError where the folder holds something else.
    """

    def __init__(self, folder: Folder, suffix: PartSuffix, job: PartsJob, said: Callable[[str], None]) -> None:
        self.folder, self.suffix, self.job = folder, suffix, job
        _refuse_other(folder, job)
        other = [name for name in folder.names() if name.startswith("part-") and not name.endswith(suffix)]
        if other:
            raise ArtifactError(f"{folder.address}: holds parts of another format, such as {other[0]}. {OTHER_OUT}")
        self._files = HashedFiles(folder, "part", suffix, said=said)
        self._numbers = {int(key.partition("-")[0]): key for key in self._files.keys}
        self._write_job(job)

    def read(self, number: int, digest: str) -> bytes | None:
        """What was written of a block; None where nothing whole was.

        Raises ArtifactError where the block's part is of other rows.
        """
        name = _key(number, digest)
        if (there := self._numbers.get(number, name)) != name:
            raise ArtifactError(
                f"{self.folder.address}: part {number} is of other rows than {self.job.source} has now (texts, their "
                f"order, or who makes them: {there} is not {name}). {OTHER_OUT}"
            )
        return self._files.read(name)

    def write(self, number: int, digest: str, body: bytes) -> None:
        self._numbers[number] = _key(number, digest)
        self._files.write(self._numbers[number], body)

    def finish(self, *, blocks: int, prompts: int, missing: int, set_aside: list[SetAsideBlock]) -> None:
        """Say that all is done. Raises ArtifactError for parts beyond the last block: the data had more rows before."""
        if beyond := sorted(number for number in self._numbers if number >= blocks):
            raise ArtifactError(
                f"{self.folder.address}: holds parts from {beyond[0]} to {beyond[-1]}, and {self.job.source} has "
                f"{blocks} blocks now. {OTHER_OUT}"
            )
        state = "blocks set aside" if set_aside else "done"
        ended = {"state": state, "blocks": blocks, "prompts": prompts, "missing": missing, "set_aside": set_aside}
        self._write_job(self.job.model_copy(update=ended))

    def _write_job(self, job: PartsJob) -> None:
        self.job = job
        self.folder.write(JOB, dumps({"schema": SCHEMA, **job.model_dump()}, indent=True) + b"\n")


def _refuse_other(folder: Folder, job: PartsJob) -> None:
    """Raises ArtifactError where a folder is of another job, or of none and not empty."""
    names = [name for name in folder.names() if not name.startswith((".", "_lease-"))]
    if JOB not in names:
        if names:
            raise ArtifactError(f"{folder.address}: holds {names[0]}, which no command for parts wrote. {OTHER_OUT}")
        return
    try:
        said = orjson.loads(folder.read(JOB))
        found = PartsJob.model_validate({name: value for name, value in said.items() if name != "schema"})
    except (orjson.JSONDecodeError, ValidationError, AttributeError):
        return  # half written, on a store that can; parts are held against their own names
    for name in ("holds", "fingerprint", "block", "threads", "made"):
        if getattr(found, name) != getattr(job, name):
            raise ArtifactError(
                f"{folder.address}: its parts are of {name} {getattr(found, name)!r}, and {getattr(job, name)!r} is "
                f"asked for now: they would not be of one kind. {OTHER_OUT}"
            )


def _key(number: int, digest: str) -> str:
    return f"{number:08}-{digest[:KEY]}"
