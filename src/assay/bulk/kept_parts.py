"""Results as a folder of parts, a file a block, which are at once what a killed command goes on with.

    part-00000012-KEY-SUM.jsonl    rows of `assay score`, in the order of the data; or .parquet
    _assay.json                    whose rewards, in which blocks, whether all is done and what was set aside

KEY is of the scorer and of all texts in the block, SUM of the file's bytes: rows that changed and files that were half
written are never taken for done. Knows groups, rewards and files; knows no worker.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from assay.artifacts.files import dumps
from assay.bulk.folders import Folder
from assay.bulk.hashed_files import HashedFiles
from assay.errors import ArtifactError
from assay.records import Candidates
from assay.scorers.protocol import NONE, Answered, Reward, Scored, Unscored
from assay.scorers.score_tables import prompt_rows_of, write_table
from assay.scorers.scores_file import PromptRow, prompt_row

JOB, SCHEMA = "_assay.json", "parts/1"
PartSuffix = Literal[".jsonl", ".parquet"]
KEY = 16  # digits of a block's digest in a name
_ROWS = TypeAdapter(list[PromptRow])


class SetAsideBlock(BaseModel):
    """Prompts without a part, since they ended every worker that took them."""

    prompts: int
    first: str
    last: str
    why: str


class PartsJob(BaseModel):
    """_assay.json. block: prompts in one. threads: of a worker on processors, whose last bits hang on it; None on GPUs.
    blocks, prompts, unscored: once all is done."""

    model_config = ConfigDict(extra="forbid")
    schema_name: ClassVar[str] = SCHEMA

    scorer: str
    fingerprint: str
    source: str
    block: int
    threads: int | None
    state: Literal["running", "done", "blocks set aside"] = "running"
    blocks: int | None = None
    prompts: int | None = None
    unscored: int | None = None
    set_aside: list[SetAsideBlock] = []


class KeptParts:
    """The parts of one job in a folder. said: gets a line for each that is damaged.

    Raises ArtifactError where the folder holds parts of another job.
    """

    def __init__(self, folder: Folder, suffix: PartSuffix, job: PartsJob, said: Callable[[str], None]) -> None:
        self._folder, self._suffix, self.job = folder, suffix, job
        _refuse_other(folder, job)
        self._files = HashedFiles(folder, "part", suffix, said=said)
        other = [name for name in folder.names() if name.startswith("part-") and not name.endswith(suffix)]
        if other:
            raise ArtifactError(f"{folder.address}: holds parts of another format, such as {other[0]}. {OTHER_OUT}")
        self._numbers = {int(key.partition("-")[0]): key for key in self._files.keys}
        self.write_job(job)

    def write_job(self, job: PartsJob) -> None:
        self.job = job
        self._folder.write(JOB, dumps({"schema": SCHEMA, **job.model_dump()}, indent=True) + b"\n")

    def read(self, number: int, key: str, groups: Sequence[Candidates]) -> dict[int, Answered] | None:
        """What each group of a block got, by place; None where there is no whole part of it.

        Raises ArtifactError where the block's part is of other rows.
        """
        name = _key(number, key)
        if (there := self._numbers.get(number, name)) != name:
            raise ArtifactError(
                f"{self._folder.address}: part {number} is of other rows than {self.job.source} has now (texts, their "
                f"order, or the scorer changed: {there} is not {name}). {OTHER_OUT}"
            )
        body = self._files.read(name)
        if body is None:
            return None
        try:
            rows = _ROWS.validate_python(self._decoded(body))
        except (orjson.JSONDecodeError, ValidationError, ValueError):
            return None
        if [(row["id"], len(row["scores"])) for row in rows] != [(one.id, len(one.answers)) for one in groups]:
            return None
        return {place: _answered(row) for place, row in enumerate(rows)}

    def write(self, number: int, key: str, groups: Sequence[Candidates], results: Mapping[int, Answered]) -> None:
        rows = [prompt_row(group, results[place]) for place, group in enumerate(groups)]
        self._numbers[number] = _key(number, key)
        self._files.write(self._numbers[number], self._encoded(rows))

    def refuse_beyond(self, blocks: int) -> None:
        """Raises ArtifactError for parts beyond the last block: the data had more rows when they were written."""
        if beyond := sorted(number for number in self._numbers if number >= blocks):
            raise ArtifactError(
                f"{self._folder.address}: holds parts from {beyond[0]} to {beyond[-1]}, and {self.job.source} has "
                f"{blocks} blocks now. {OTHER_OUT}"
            )

    def _encoded(self, rows: Sequence[PromptRow]) -> bytes:
        if self._suffix == ".jsonl":
            return b"".join(dumps(row) + b"\n" for row in rows)
        stream = io.BytesIO()
        write_table(stream, rows, "prompts")
        return stream.getvalue()

    def _decoded(self, body: bytes) -> Sequence[object]:
        if self._suffix == ".jsonl":
            return [orjson.loads(line) for line in body.splitlines()]
        from pyarrow import parquet

        return prompt_rows_of(parquet.read_table(io.BytesIO(body)))


OTHER_OUT = "Give another --out, or delete what is there."


def _refuse_other(folder: Folder, job: PartsJob) -> None:
    """Raises ArtifactError where a folder is of another job, or of none and not empty."""
    names = [name for name in folder.names() if not name.startswith((".", "_lease-"))]
    if JOB not in names:
        if names:
            raise ArtifactError(f"{folder.address}: holds {names[0]}, which is no part of scores. {OTHER_OUT}")
        return
    try:
        said = orjson.loads(folder.read(JOB))
        found = PartsJob.model_validate({name: value for name, value in said.items() if name != "schema"})
    except (orjson.JSONDecodeError, ValidationError, AttributeError):
        return  # half written, on a store that can; parts are held against their own names
    for name in ("fingerprint", "block", "threads"):
        if getattr(found, name) != getattr(job, name):
            raise ArtifactError(
                f"{folder.address}: its parts are of {name} {getattr(found, name)!r}, and {getattr(job, name)!r} is "
                f"asked for now: its rewards would not be of one kind. {OTHER_OUT}"
            )


def _key(number: int, digest: str) -> str:
    return f"{number:08}-{digest[:KEY]}"


def _answered(row: PromptRow) -> Answered:
    reasons, heads = row.get("reasons") or [None] * len(row["scores"]), row.get("heads") or [None] * len(row["scores"])
    return tuple(map(_scored, row["scores"], reasons, heads))


def _scored(value: float | None, reason: str | None, heads: Mapping[str, float] | None) -> Scored:
    return Unscored(reason or "no reason is kept") if value is None else Reward(value, heads or NONE)
