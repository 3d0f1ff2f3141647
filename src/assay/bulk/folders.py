"""Folders that files of bytes lie in, here or on an object store, by path or address. Knows bytes; knows no block.

Addresses are those of pyarrow.fs (file://, s3://, gs://, hdfs://) and, for other schemes, of fsspec. Credentials stand
in the environment, as each store's own tools read them, and never in an address.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from assay.artifacts.files import atomic_write
from assay.errors import ArtifactError, ConfigError, InputError, first_line

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


class Folder(Protocol):
    """Named files of bytes in one place. address: for people."""

    address: str

    def names(self) -> list[str]:
        """All names, sorted; none where the folder is not there yet."""
        ...

    def read(self, name: str) -> bytes: ...

    def write(self, name: str, body: bytes) -> None:
        """All of `body`, or an error: what is half written has a name that says so, or other bytes than it says."""
        ...

    def delete(self, name: str) -> None:
        """Nothing where it is gone already."""
        ...


def is_address(place: str) -> bool:
    """Whether a place is named by an address, s3://bucket/scores, and not by a path."""
    return "://" in place


def holds_parts(out: str) -> bool:
    """Whether a place for results is a folder of parts and not one file: an address, or a path that ends in /."""
    return is_address(out) or out.endswith("/") or Path(out).is_dir()


def open_folder(place: str | Path) -> Folder:
    """The folder at a path or address. Raises ConfigError for an address that cannot be used."""
    text = str(place)
    if not is_address(text):
        return LocalFolder(Path(text).expanduser())
    filesystem, path = filesystem_at(text)
    return LocalFolder(Path(path)) if urlsplit(text).scheme == "file" else ArrowFolder(filesystem, path, text)


class LocalFolder:
    """On a disk: a file is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path, self.address = path, str(path)

    def names(self) -> list[str]:
        return sorted(one.name for one in self.path.iterdir() if one.is_file()) if self.path.is_dir() else []

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def write(self, name: str, body: bytes) -> None:
        with no_room_said(self.address), atomic_write(self.path / name) as stream:
            stream.write(body)

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


class ArrowFolder:
    """On a file system of pyarrow's. An object store shows a file when all of it was sent; others may show a part."""

    def __init__(self, filesystem: FileSystem, path: str, address: str) -> None:
        self._fs, self._path, self.address = filesystem, path.rstrip("/"), address

    def names(self) -> list[str]:
        from pyarrow import fs

        with store_said(self.address):
            found = self._fs.get_file_info(fs.FileSelector(self._path, allow_not_found=True))
        return sorted(one.base_name for one in found if one.type == fs.FileType.File)

    def read(self, name: str) -> bytes:
        with store_said(self.address), self._fs.open_input_file(f"{self._path}/{name}") as stream:
            return bytes(stream.read())

    def write(self, name: str, body: bytes) -> None:
        with store_said(self.address):
            self._fs.create_dir(self._path, recursive=True)
            with self._fs.open_output_stream(f"{self._path}/{name}", compression=None) as stream:
                stream.write(body)

    def delete(self, name: str) -> None:
        with store_said(self.address), suppress(FileNotFoundError):
            self._fs.delete_file(f"{self._path}/{name}")


def filesystem_at(address: str) -> tuple[FileSystem, str]:
    """The file system of an address and the path on it.

    Raises ConfigError for one that names credentials, or whose scheme neither pyarrow nor an installed fsspec knows.
    """
    import pyarrow
    from pyarrow import fs

    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise ConfigError(f"{parts.scheme}://...: an address holds no credentials. Put them into the environment.")
    try:
        filesystem, path = fs.FileSystem.from_uri(address)
    except pyarrow.ArrowInvalid:
        pass  # not one of pyarrow's own
    except (OSError, pyarrow.ArrowException) as error:
        raise ConfigError(f"{address}: cannot be opened ({first_line(error)}).") from None
    else:
        return filesystem, path
    import fsspec

    try:
        filesystem, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"{address}: neither pyarrow nor fsspec opens it ({first_line(error)}). A store of fsspec's needs its own "
            "package, such as adlfs for abfs://."
        ) from None
    return fs.PyFileSystem(fs.FSSpecHandler(filesystem)), path


@contextmanager
def no_room_said(address: str) -> Iterator[None]:
    """Raises ArtifactError where a disk is full: what was finished before is kept."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise ArtifactError(
            f"{address}: no room to write ({error.strerror}). What is finished is kept there: make room, and the same "
            "command goes on."
        ) from None


@contextmanager
def store_said(address: str) -> Iterator[None]:
    """Raises ArtifactError for what a store refuses."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{address}: no such file or folder.") from None
    except OSError as error:
        raise ArtifactError(
            f"{address}: the store says {first_line(error)!r}. What is finished is kept there, and the same command "
            "goes on."
        ) from None


def listed(address: str) -> list[str]:
    """Addresses of the files in the folder at an address, in order; of the file itself where it is one."""
    from pyarrow import fs

    filesystem, path = filesystem_at(address)
    root = address.rstrip("/")
    with store_said(address):
        if filesystem.get_file_info(path).type == fs.FileType.File:
            return [root]
        found = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
    return sorted(f"{root}/{one.base_name}" for one in found if one.type == fs.FileType.File)


@contextmanager
def fetched(address: str) -> Iterator[IO[bytes]]:
    """The bytes of the file at an address."""
    filesystem, path = filesystem_at(address)
    with store_said(address), filesystem.open_input_file(path) as stream:
        yield stream
