"""assay-base.json, beside a model fetched from the Python index: what was fetched, and the hash of every file of it."""

from __future__ import annotations

from typing import ClassVar

from assay.artifacts.body import Body


class BaseBody(Body):
    """One fetched model. wheel: `sha256:...` of the package. format: of the conversion; another one builds it again.

    files: `sha256:...` by name. fingerprint: what runs and saved models call these bytes.
    """

    SCHEMA: ClassVar[str] = "base/1"

    name: str
    package: str
    version: str
    wheel: str
    format: int
    fingerprint: str
    files: dict[str, str]
