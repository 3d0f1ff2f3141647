"""The folder of one run: paths inside it, artifacts by name, one folder a seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json, write_json
from assay.errors import ArtifactError


class RunFolder:
    """The folder of one run: `path(...)` inside it, artifacts by name, one folder per seed."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise ArtifactError(f"{self.root} is a file, not a folder. Give --out another name.")
        self.root.mkdir(parents=True, exist_ok=True)

    def path(self, *parts: str) -> Path:
        return self.root.joinpath(*parts)

    def seed(self, seed: int) -> Path:
        return self.root / f"seed-{seed}"

    def write(self, name: str, schema: str, value: Mapping[str, Any]) -> str:
        return write_json(self.path(name), schema, value)

    def read(self, name: str, schema: str) -> dict[str, Any]:
        return read_json(self.path(name), schema)
