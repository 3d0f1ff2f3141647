"""assay.json, beside a saved reward model: what it was made from, how its rows are rendered, what it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.files import write_json


class BaseName(BaseModel):
    """The base a model was made from. revision: None for a folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    revision: str | None
    fingerprint: str


class Origin(BaseModel):
    """What a reward model is from birth: its kind, its base, its tuning, and the weights that the base did not have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["encoder", "decoder"]
    base: BaseName
    config: dict[str, JsonValue]
    new_weights: tuple[str, ...]


class Rendering(BaseModel):
    """The hashes by which a renderer is known again, whole and by part, and what was changed in the base's template."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str
    parts: dict[str, str]
    notes: tuple[str, ...]


class ModelBody(Body):
    """A saved reward model. base, config, new_weights: absent for a model that someone else published."""

    SCHEMA: ClassVar[str] = "model/1"

    kind: Literal["encoder", "decoder"]
    base: BaseName | None = None
    config: dict[str, JsonValue] | None = None
    new_weights: tuple[str, ...] | None = None
    render: Rendering
    trained_on: dict[str, JsonValue]
    versions: dict[str, str]

    def write(self, path: Path) -> str:
        """Write the artifact atomically, what is absent left out; returns its `sha256:...`."""
        return write_json(path, self.SCHEMA, self.model_dump(mode="json", exclude_unset=True))

    @property
    def origin(self) -> Origin | None:
        """What the model was made from, or None where nobody said."""
        if self.base is None or self.config is None or self.new_weights is None:
            return None
        return Origin(kind=self.kind, base=self.base, config=self.config, new_weights=self.new_weights)
