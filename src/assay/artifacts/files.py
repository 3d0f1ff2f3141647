"""Run folders: atomic, hashed, versioned reads and writes. Knows files; knows no stage's meaning."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from assay.errors import ArtifactError

_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SERIALIZE_DATACLASS | orjson.OPT_NON_STR_KEYS


def dumps(value: object, *, indent: bool = False) -> bytes:
    """`value` as UTF-8 JSON. Not-a-number becomes null: artifacts never hold NaN."""
    return orjson.dumps(value, option=_JSON | (orjson.OPT_INDENT_2 if indent else 0))


def sha256_file(path: Path) -> str:
    """`sha256:...` of a file's bytes."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_json(value: object) -> str:
    """`sha256:...` of a value, independent of the order of its keys."""
    text = orjson.dumps(value, option=_JSON | orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Write to a temporary name beside `path`, then fsync and rename: readers see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            # Before the rename: else a power cut could leave the new name on an empty file.
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, schema: str, value: Mapping[str, Any]) -> str:
    """Write one versioned JSON artifact atomically; returns its `sha256:...`."""
    body = dumps({"schema": schema, **value}, indent=True) + b"\n"
    with atomic_write(path) as stream:
        stream.write(body)
    return "sha256:" + hashlib.sha256(body).hexdigest()


def read_json(path: Path, schema: str, *, again: str = "Run the stage again.") -> dict[str, Any]:
    """Read one artifact and insist on its schema; `again` says how a file of another version is made anew.

    Raises ArtifactError if it is missing, torn or of another version.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(
            f"{path} is missing: the stage that writes it has not finished. Run that stage first."
        ) from None
    except orjson.JSONDecodeError as error:
        raise ArtifactError(f"{path} is not JSON ({error}). Delete it and run its stage again.") from None
    found = value.get("schema") if isinstance(value, dict) else None
    if found != schema:
        raise ArtifactError(f'{path} has schema {found!r}; this assay reads "{schema}". {again}')
    return dict(value)


def write_jsonl(path: Path, rows: Iterable[object]) -> int:
    """Write rows as JSON lines atomically; returns how many."""
    count = 0
    with atomic_write(path) as stream:
        for row in rows:
            stream.write(dumps(row) + b"\n")
            count += 1
    return count


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON-lines artifact that assay wrote itself (user data goes through assay.data).

    Raises ArtifactError where it is missing, or has a line that is not JSON.
    """
    number = 0
    try:
        with path.open("rb") as stream:
            for line in stream:
                number += 1
                yield orjson.loads(line)
    except FileNotFoundError:
        raise ArtifactError(
            f"{path} is missing: the stage that writes it has not finished. Run that stage first."
        ) from None
    except orjson.JSONDecodeError as error:
        raise ArtifactError(
            f"{path}, line {number} is not JSON ({error}). Delete the file and run its stage again."
        ) from None


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs between two nested values, by dotted name, in words."""
    found = []
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key} was {old!r}, is {new!r}")
    return found
