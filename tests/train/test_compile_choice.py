"""Whether layers are compiled under `auto`: refused where it cannot pay, tried where it can, kept by what began."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._inductor.utils import fresh_cache

from assay.artifacts.compile_body import CompileBody
from assay.artifacts.files import read_json, sha256_file
from assay.engine.compiled import layers_of
from assay.errors import ArtifactError, TrainingError
from assay.models.config import ModelConfig
from assay.rewards.reward_model import RewardModel
from assay.train import train_reward
from assay.train.compile_choice import CompileChoice, CompileTerms, Compiling, choose, line, stored_in
from assay.train.compile_trial import tried
from assay.train.config import LossConfig
from assay.train.loop import Training
from assay.train.pair_examples import pair_examples
from assay.train.reward import RewardObjective
from tests.support import tiny_bases as tiny
from tests.train.test_resume import StopHere, silent, stop_at

# torch.compile's own imports and looks at tensors warn, each once a process: not ours to mend.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("one_thread")]
WEIGHTS = "model/model.safetensors"
CPU = torch.device("cpu")
ANYHOW = CompileTerms(seconds=0.0, gain=math.inf, faster=math.inf)  # compiled, however short the run and slow the code
TIMED_ONLY = CompileTerms(seconds=math.inf, gain=1e9)
MEASURED = CompileChoice(
    asked="auto", used="on", reason="measured", passes=400, plain_seconds=4.0, compiled_seconds=3.6
)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bases")
    return {kind: tiny.base(root / kind, kind) for kind in ("bert", "llama")}


def training(base: Path, **changes: Any) -> Training:
    recipe = tiny.quick(base, **changes)
    model = RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0)
    examples = pair_examples(tiny.pairs(24), model.renderer, loss=LossConfig(), max_tokens=64)
    objective = RewardObjective(model, examples, [], held_out_pairs=[], loss=LossConfig(), config=recipe["config"])
    return Training(seed=0, objective=objective, config=recipe["config"])


def train(
    out: Path, base: Path, *, asked: str = "auto", terms: CompileTerms | None = None, progress: Any = silent
) -> dict[str, Any]:
    """Train a tiny base; its train.json. terms: None for those of every user."""
    recipe = tiny.quick(base, epochs=1.0, compile=asked)
    compiling = Compiling(terms=terms or CompileTerms())
    held_out = tiny.pairs(8, seed=1)
    train_reward(tiny.pairs(48), held_out, seed=0, out=out, progress=progress, compiling=compiling, **recipe)
    return read_json(out / "train.json", "train/1")


def weights(folder: Path) -> str:
    return sha256_file(folder / WEIGHTS)


def test_what_is_asked_for_is_used_and_auto_goes_on_as_the_folder_began(tmp_path: Path) -> None:
    assert choose("on", stored=None) == CompileChoice(asked="on", used="on", reason="asked")
    assert choose("off", stored=MEASURED) == CompileChoice(asked="off", used="off", reason="asked")
    assert choose("auto", stored=None) is None
    assert stored_in(tmp_path) is None
    MEASURED.body.write(tmp_path / "compile.json")
    assert CompileBody.read(tmp_path / "compile.json").passes == 400
    assert stored_in(tmp_path) == MEASURED
    kept = choose("auto", stored=stored_in(tmp_path))
    assert kept is not None
    assert (kept.used, line(kept)) == ("on", "layers     compiled: as this run began")


@pytest.mark.parametrize("reason", ["rows", "layers", "compiler", "short"])
def test_what_cannot_pay_is_not_timed(
    reason: str, bases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = training(bases["bert" if reason == "rows" else "llama"])
    if reason == "layers":
        run.objective.model.config.num_hidden_layers += 1
    if reason == "compiler":
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CXX", raising=False)
    found = tried(run, device=CPU, terms=CompileTerms() if reason == "short" else ANYHOW)
    assert (found.used, found.reason, found.plain_seconds) == ("off", reason, None)


def test_on_a_gpu_nothing_is_tried(bases: dict[str, Path]) -> None:
    assert tried(training(bases["llama"]), device=torch.device("cuda"), terms=ANYHOW).reason == "gpu"


def test_a_pass_is_timed_and_leaves_nothing_behind(bases: dict[str, Path]) -> None:
    run = training(bases["llama"], epochs=1000)
    model = run.objective.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    mark = torch.ones_like(next(model.parameters()))
    next(model.parameters()).grad = mark.clone()
    drawn = torch.random.get_rng_state()
    found = tried(run, device=CPU, terms=TIMED_ONLY)
    # 24 pairs, 8 a step, 1,000 epochs; the first pass of a step holds some of it, or all.
    assert found.reason == "short"
    assert found.passes is not None
    assert found.passes >= 3000
    assert found.plain_seconds is not None
    assert found.compiled_seconds is None
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    first, *others = model.parameters()
    assert first.grad is not None
    assert torch.equal(first.grad, mark)
    assert all(parameter.grad is None for parameter in others)


def test_a_folder_that_began_before_auto_goes_on_as_it_was(bases: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(StopHere):
        train(tmp_path, bases["llama"], asked="off", progress=stop_at(4))
    body = train(tmp_path, bases["llama"], terms=ANYHOW)  # by which a folder of its own would be compiled
    assert body["identity"]["train"]["compile"] == body["compile"]["used"] == "off"
    with pytest.raises(ArtifactError, match=r"train\.compile"):
        train(tmp_path, bases["llama"], asked="on")


@pytest.mark.slow
def test_a_compiler_that_fails_costs_nobody_the_run(
    bases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = train(tmp_path / "plain", bases["llama"], asked="off")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "g++").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "g++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CXX", raising=False)
    # In a cache of its own, on disk and in memory: nothing an earlier test compiled.
    with fresh_cache(), caplog.at_level(logging.INFO, logger="assay"):
        body = train(tmp_path / "auto", bases["llama"], terms=ANYHOW)
    assert (body["compile"]["used"], body["compile"]["reason"]) == ("off", "failed")
    assert "layers     plain: compiling failed (" in caplog.text
    assert weights(tmp_path / "auto") == weights(tmp_path / "plain")
    assert body["held_out"] == plain["held_out"]

    # Asked for by name there is nothing to fall back on, and the way out is said.
    with fresh_cache(), pytest.raises(TrainingError, match=r"train.compile=on: torch could not compile .* at auto"):
        train(tmp_path / "on", bases["llama"], asked="on")

    # A seed that began compiled elsewhere goes on here, plain, and says so.
    (tmp_path / "moved").mkdir()
    MEASURED.body.write(tmp_path / "moved" / "compile.json")
    with fresh_cache(), caplog.at_level(logging.INFO, logger="assay"):
        body = train(tmp_path / "moved", bases["llama"])
    assert "began with compiled layers, and goes on plain" in caplog.text
    assert body["compile"]["error"]
    assert weights(tmp_path / "moved") == weights(tmp_path / "plain")


@pytest.mark.slow
def test_compiled_by_auto_is_compiled_as_asked_for_and_goes_on_to_the_bit(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    train(tmp_path / "asked", bases["llama"], asked="on")
    body = train(tmp_path / "auto", bases["llama"], terms=ANYHOW)
    assert body["compile"]["used"] == body["identity"]["train"]["compile"] == "on"
    assert body["compile"]["reason"] == "measured"
    assert body["compile"]["compiled_seconds"] > 0
    # The trial's own rows, compiled for and run, have left no trace in what is trained.
    assert weights(tmp_path / "auto") == weights(tmp_path / "asked")

    with pytest.raises(StopHere):
        train(tmp_path / "killed", bases["llama"], terms=ANYHOW, progress=stop_at(4))
    # Gone on with under a user's terms, by which so short a run would be plain.
    killed = train(tmp_path / "killed", bases["llama"])
    assert killed["compile"]["used"] == "on"
    assert weights(tmp_path / "killed") == weights(tmp_path / "auto")
    assert (tmp_path / "killed" / "scores.jsonl").read_bytes() == (tmp_path / "auto" / "scores.jsonl").read_bytes()


@pytest.mark.slow
def test_code_that_is_not_faster_is_undone(bases: dict[str, Path]) -> None:
    run = training(bases["llama"])
    found = tried(run, device=CPU, terms=CompileTerms(seconds=0.0, gain=math.inf, faster=0.0))
    assert (found.used, found.reason) == ("off", "measured")
    assert all(layer._compiled_call_impl is None for layer in layers_of(run.objective.model))
