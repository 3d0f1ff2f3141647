"""The precision of a run: asked, measured or kept; said, stored, and the same for all that one run trains."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import read_json, sha256_file
from assay.errors import ArtifactError
from assay.models import precision
from assay.train import train_reward
from tests.models.test_precision import measuring
from tests.support import tiny_bases as tiny
from tests.support.torchrun import run_in_two_processes

WEIGHTS = "model/model.safetensors"
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "base")


class StopHere(Exception):
    """Raised from the progress callback, as an interrupt would be."""


def train(out: Path, base: Path, *, asked: str, stop: int | None = None) -> dict[str, Any]:
    def progress(now: Any) -> None:
        if now.stage == "train" and now.step == stop:
            raise StopHere

    recipe = tiny.quick(base, epochs=1.0, precision=asked)
    train_reward(tiny.pairs(48), tiny.pairs(8, seed=1), seed=0, out=out, progress=progress, **recipe)
    return read_json(out / "train.json", "train/1")


@pytest.mark.parametrize(("factor", "used"), [(3.0, "bf16"), (0.09, "float32")])
def test_auto_trains_as_if_what_it_found_had_been_asked_for(
    factor: float, used: str, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, factor)
    body = train(tmp_path / "auto", base, asked="auto")
    assert body["precision"] == {"asked": "auto", "used": used, "factor": factor}
    assert body["identity"]["train"]["precision"] == used
    assert read_json(tmp_path / "auto" / "precision.json", "precision/1")["used"] == used
    train(tmp_path / "asked", base, asked=used)
    assert sha256_file(tmp_path / "auto" / WEIGHTS) == sha256_file(tmp_path / "asked" / WEIGHTS)
    assert (tmp_path / "auto" / "scores.jsonl").read_bytes() == (tmp_path / "asked" / "scores.jsonl").read_bytes()
    assert not (tmp_path / "asked" / "precision.json").exists()


@pytest.mark.parametrize(
    "stop", [pytest.param(1, marks=pytest.mark.slow), 4]
)  # before the first checkpoint, which is of step 3, and after it
def test_what_began_in_one_precision_ends_in_it_on_another_machine(
    stop: int, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, 3.0)
    train(tmp_path / "whole", base, asked="auto")
    with pytest.raises(StopHere):
        train(tmp_path / "stopped", base, asked="auto", stop=stop)
    measuring(monkeypatch, 0.1)
    body = train(tmp_path / "stopped", base, asked="auto")
    assert body["precision"] == {"asked": "auto", "used": "bf16", "factor": 3.0}
    assert sha256_file(tmp_path / "whole" / WEIGHTS) == sha256_file(tmp_path / "stopped" / WEIGHTS)
    assert train(tmp_path / "stopped", base, asked="auto") == body  # finished: nothing is trained again
    with pytest.raises(ArtifactError, match=r"train\.precision"):
        train(tmp_path / "stopped", base, asked="float32")


def test_auto_goes_on_where_a_precision_was_asked_for(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StopHere):
        train(tmp_path, base, asked="float32", stop=4)
    measuring(monkeypatch, 3.0)
    assert train(tmp_path, base, asked="auto")["precision"]["used"] == "float32"
    assert train(tmp_path, base, asked="auto")["precision"]["used"] == "float32"  # by train.json too


@pytest.mark.parametrize(("factor", "warned"), [(0.09, True), (1.1, False)])
def test_bf16_is_obeyed_where_it_is_slow_and_said_to_be(
    factor: float,
    warned: bool,
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    measuring(monkeypatch, factor)
    with caplog.at_level(logging.WARNING, logger="assay"):
        body = train(tmp_path, base, asked="bf16")
    assert body["precision"] == {"asked": "bf16", "used": "bf16", "factor": factor}
    said = [record.message for record in caplog.records if "bf16" in record.message]
    assert bool(said) == warned
    assert all(f"multiplies bf16 at {factor} times float32's rate" in message for message in said)


def test_float32_is_not_measured(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "measured", lambda: pytest.fail("measured"))
    body = train(tmp_path, base, asked="float32")
    assert body["precision"] == {"asked": "float32", "used": "float32", "factor": None}


@pytest.mark.slow
def test_processes_that_measure_differently_train_alike(base: Path, tmp_path: Path) -> None:
    run_in_two_processes("tests.support.two_clocks", tmp_path / "run", base)
    body = read_json(tmp_path / "run" / "train.json", "train/1")
    assert body["precision"] == {"asked": "auto", "used": "bf16", "factor": 3.0}
    assert body["processes"] == 2
