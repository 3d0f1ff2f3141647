"""Two processes do what one does, however they hold the weights; a checkpoint is one that any number goes on from.

Two real processes that speak gloo, on the CPU: whole weights (DDP), parts gathered layer by layer (FSDP2, as ZeRO-3
does), and parts gathered once a pass (as ZeRO-2 does).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from assay.artifacts.files import read_json, read_jsonl
from tests.support import training_processes
from tests.support.threads import one_thread
from tests.support.torchrun import launched_in_two, run_in_two_processes
from tests.support.training_processes import KINDS

pytestmark = pytest.mark.slow
MODULE = "tests.support.training_processes"
IN_PARTS = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}
MODES = {"ddp": {}, "fsdp2": IN_PARTS, "zero2": {**IN_PARTS, "FSDP_RESHARD_AFTER_FORWARD": "false"}}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bases")
    training_processes.bases(folder)
    return folder


@pytest.fixture(scope="module")
def one(bases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process trains, and what it would have left if it had been killed."""
    folder = tmp_path_factory.mktemp("one")
    with one_thread():
        for kind in KINDS:
            training_processes.train(kind, folder / kind, bases)
    return folder


@pytest.fixture(scope="module", params=list(MODES))
def two(request: pytest.FixtureRequest, one: Path, bases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes train, and what they make of that which one has left."""
    folder = tmp_path_factory.mktemp(request.param)
    for kind in KINDS:
        left_by(one / kind, folder / f"{kind}-from-one")
    run_in_two_processes(MODULE, folder, bases, "0-none", environment=MODES[request.param])
    return folder


def left_by(killed: Path, there: Path) -> None:
    """Put what a killed training left, and the reference store beside it, where another goes on."""
    shutil.copytree(killed.with_name(f"{killed.name}-killed"), there)
    assert (there / "checkpoint-3" / "complete.json").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_is_that_of_one_process(kind: str, one: Path, two: Path) -> None:
    rows_of_one, rows = (list(read_jsonl(folder / kind / "metrics.jsonl")) for folder in (one, two))
    assert [row["step"] for row in rows] == [row["step"] for row in rows_of_one]
    assert len(rows) == 10 or kind == "stopped"
    for a, b in zip(rows_of_one, rows, strict=True):
        assert (b["pairs"], b["tokens"]) == (a["pairs"], a["tokens"]), a["step"]
        for key in ("loss", "grad_norm", "margin", "validation_loss"):
            if key in a:
                assert b[key] == pytest.approx(a[key], rel=1e-3, abs=1e-5), (a["step"], key)
    assert read_json(two / kind / "train.json", "train/1")["processes"] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_saved_model_is_whole_and_that_of_one_process(kind: str, one: Path, two: Path) -> None:
    same_weights(two / kind, one / kind)
    opener = AutoModelForCausalLM if kind == "dpo" else AutoModelForSequenceClassification
    _, told = opener.from_pretrained(two / kind / "model", output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    held_out = [read_json(folder / kind / "train.json", "train/1")["held_out"] for folder in (one, two)]
    assert held_out[0]["accuracy"] == held_out[1]["accuracy"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_go_on_from_what_one_has_left(kind: str, one: Path, two: Path) -> None:
    same_weights(two / f"{kind}-from-one", one / kind)


@pytest.mark.parametrize("kind", KINDS)
def test_one_goes_on_from_what_two_have_left(kind: str, one: Path, two: Path, bases: Path) -> None:
    left_by(two / kind, two / f"{kind}-from-two")
    with one_thread():
        training_processes.train(kind, two / f"{kind}-from-two", bases)
    same_weights(two / f"{kind}-from-two", one / kind)


def same_weights(a: Path, b: Path) -> None:
    weights, others = (load_file(folder / "model" / "model.safetensors") for folder in (a, b))
    assert weights.keys() == others.keys()
    for name, value in others.items():
        assert torch.allclose(weights[name], value, rtol=1e-3, atol=2e-5), name


@pytest.mark.parametrize("mode", ["ddp", "fsdp2"])
def test_a_process_that_dies_ends_the_other_and_the_same_command_goes_on(
    mode: str, one: Path, bases: Path, tmp_path: Path
) -> None:
    done = launched_in_two(MODULE, tmp_path, bases, "5", environment=MODES[mode])
    assert done.returncode != 0
    # The launcher may end the other before it can speak; what it says is tried in test_process_group.
    assert "another process of this training has ended" in done.stderr or "Signal 9 (SIGKILL)" in done.stderr
    assert (tmp_path / "reward" / "checkpoint-3" / "complete.json").is_file()
    assert not (tmp_path / "reward" / "train.json").exists()
    run_in_two_processes(MODULE, tmp_path, bases, "99", environment=MODES[mode])
    same_weights(tmp_path / "reward", one / "reward")
