"""Two processes with gloo do what one does: the same gradient of the same global batch, the same figures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from assay.artifacts.files import read_json, read_jsonl
from tests.support import tiny_bases as tiny
from tests.support import two_training_processes
from tests.support.threads import one_thread
from tests.support.torchrun import run_in_two_processes


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_two_processes_equal_one(tmp_path: Path, kind: str) -> None:
    base = tiny.base(tmp_path / "base", kind, dropout=0.0)
    with one_thread():
        two_training_processes.train(tmp_path / "one", base)
    run_in_two_processes("tests.support.two_training_processes", tmp_path / "two", base)
    one, two = (list(read_jsonl(tmp_path / name / "metrics.jsonl")) for name in ("one", "two"))
    assert [row["step"] for row in two] == [1, 2, 3, 4, 5]  # the last batch has one pair: one process has none
    for a, b in zip(one, two, strict=True):
        for key in ("loss", "grad_norm", "margin", "reward_min", "reward_max", "reward_std"):
            assert b[key] == pytest.approx(a[key], rel=1e-3, abs=1e-5), (a["step"], key)
        assert (b["pairs"], b["tokens"], b["accuracy"]) == (a["pairs"], a["tokens"], a["accuracy"])
    weights = [load_file(tmp_path / name / "model" / "model.safetensors") for name in ("one", "two")]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], rtol=1e-3, atol=2e-5), name
    held_out = [read_json(tmp_path / name / "train.json", "train/1")["held_out"] for name in ("one", "two")]
    assert held_out[0]["accuracy"] == held_out[1]["accuracy"]
    assert read_json(tmp_path / "two" / "train.json", "train/1")["processes"] == 2
