"""What stands in a JSON artifact, as a typed value: one subclass a schema, written and read through it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from assay.artifacts.files import read_json, write_json
from assay.errors import ArtifactError


class Body(BaseModel):
    """Base of all artifact bodies: frozen, its schema named once, unknown keys refused.

    A subclass sets SCHEMA, such as "split/1", and its fields in the order in which they stand in the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    SCHEMA: ClassVar[str]

    def write(self, path: Path) -> str:
        """Write the artifact atomically; returns its `sha256:...`."""
        return write_json(path, self.SCHEMA, self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: Path, *, again: str = "Run the stage again.") -> Self:
        """The artifact at `path`; `again` says how one that is not as it should be is made anew.

        Raises ArtifactError if it is missing, torn, of another version or not as it says.
        """
        value = read_json(path, cls.SCHEMA, again=again)
        del value["schema"]
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "its top level"
            raise ArtifactError(
                f"{path} says it is {cls.SCHEMA}, but {place} is not what that holds ({first['msg']}). "
                f"It was changed by hand or written by another version. {again}"
            ) from None
