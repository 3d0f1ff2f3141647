"""The flow says in a line whether layers are compiled, keeps it in run.json and goes on with it anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.artifacts.files import read_json
from assay.errors import ArtifactError
from assay.train import seed_run
from assay.train.compile_choice import CompileChoice
from tests.flows.test_reward_precision import start
from tests.support import tiny_bases as tiny

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "base", "llama")


def begin(base: Path, out: Path, *, seeds: tuple[int, ...] = (0,), **train: str) -> list[str]:
    """Run the flow in float32; the lines it said of layers."""
    return [line for line in start(base, out, seeds=seeds, precision="float32", **train) if line.startswith("layers")]


def test_a_short_run_is_plain_and_says_so_once(base: Path, tmp_path: Path) -> None:
    said = begin(base, tmp_path / "run", seeds=(0, 1))
    assert len(said) == 1
    assert said[0].startswith("layers     plain: compiling would not pay in a run as short as this (")
    body = read_json(tmp_path / "run" / "run.json", "run/1")
    assert (body["compile"]["asked"], body["compile"]["used"], body["compile"]["reason"]) == ("auto", "off", "short")
    assert body["config"]["train"]["compile"] == "off"
    seeds = [read_json(tmp_path / "run" / f"seed-{seed}" / "train.json", "train/1") for seed in (0, 1)]
    assert seeds[0]["compile"] == seeds[1]["compile"] == body["compile"]
    assert read_json(tmp_path / "run" / "seed-1" / "compile.json", "compile/1")["used"] == "off"

    assert begin(base, tmp_path / "run", seeds=(0, 1)) == ["layers     plain: as this run began"]
    assert read_json(tmp_path / "run" / "run.json", "run/1")["key"] == body["key"]
    with pytest.raises(ArtifactError, match=r"train\.compile"):
        begin(base, tmp_path / "run", seeds=(0, 1), compile="on")


def test_a_run_recorded_with_plain_layers_goes_on_under_auto(base: Path, tmp_path: Path) -> None:
    assert begin(base, tmp_path / "run", compile="off") == []
    key = read_json(tmp_path / "run" / "run.json", "run/1")["key"]
    assert begin(base, tmp_path / "run", seeds=(0, 1)) == ["layers     plain: as this run began"]
    assert read_json(tmp_path / "run" / "run.json", "run/1")["key"] == key


@pytest.mark.slow
def test_seeds_that_are_added_are_compiled_as_the_first_was(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = seed_run.tried
    tries: list[CompileChoice] = []

    def compiled(*about: object, **more: object) -> CompileChoice:
        tries.append(replace(short(*about, **more), used="on", reason="measured"))  # type: ignore[arg-type]
        return tries[-1]

    monkeypatch.setattr(seed_run, "tried", compiled)
    assert begin(base, tmp_path / "run")[0].startswith("layers     compiled: ")
    monkeypatch.setattr(seed_run, "tried", short)
    assert begin(base, tmp_path / "run", seeds=(0, 1)) == ["layers     compiled: as this run began"]
    bodies = [read_json(tmp_path / "run" / f"seed-{seed}" / "train.json", "train/1") for seed in (0, 1)]
    assert [body["identity"]["train"]["compile"] for body in bodies] == ["on", "on"]
    assert len(tries) == 1
