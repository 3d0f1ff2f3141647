"""The folder of one run: paths inside it, artifacts by name, one folder a seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json, sha256_file, write_json
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

    def refuse_stale(self, inputs: Mapping[str, str], *, made: str, again: str) -> None:
        """The files that an artifact names by hash must still be those; names that are no file here say nothing.

        made: how the artifact came from them, as "audit.json was made from"; again: what to do. Raises ArtifactError.
        """
        for name, digest in inputs.items():
            path = self.path(name)
            # Names of files elsewhere and of things that are no files (the criteria) stand in `inputs` too: nothing to
            # hold them against.
            if path.is_file() and digest.startswith("sha256:") and sha256_file(path) != digest:
                raise ArtifactError(f"{path} is not the file that {made}. {again}")
