"""The version of assay, equal to the one in pyproject.toml, which a test compares; and those of what it stands on."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

__version__ = "0.1.0"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed versions of `packages`; what is not installed is left out."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
