"""A decoder that others published without a chat template is scored under one that the user names, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.artifacts.files import read_jsonl
from assay.errors import ConfigError, InputError, TemplateError
from assay.models.config import ModelConfig
from assay.rewards.reward_model import RewardModel
from assay.scorers import open_scorer
from assay.scorers.local import LocalScorer
from tests.support import bases
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay

ASSAY = str(Path(sys.executable).with_name("assay"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("published") / "model", "llama")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    rows = [
        {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected, "category": "日本語"}
        for pair in tiny.pairs(12)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(*words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    import os

    if not environment:
        done = ready_assay(*words)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.encode(), done.stderr.encode())
    command = [ASSAY, *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, timeout=240, env={**os.environ, **environment})


def test_without_a_template_it_is_refused_before_data_are_read(published: Path, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="--template FILE"):
        RewardModel.load(published)
    done = run("score", published, tmp_path / "no-such-data.jsonl", "--out", tmp_path / "scores.jsonl")
    assert done.returncode == 2
    assert b"--template plain" in done.stderr
    assert b"no-such-data" not in done.stderr


def test_the_template_named_is_what_rows_are_rendered_with(published: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.jinja").write_text(bases.CHATML)
    theirs = RewardModel.load(published, template=str(tmp_path / "theirs.jinja"))
    plain = RewardModel.load(published, template="plain")
    said: Any = theirs.renderer.tokenizer
    text = "<|im_start|>user\nw1<|im_end|>\n<|im_start|>assistant\ngood<|im_end|>\n"
    assert theirs.encode("w1", "good").ids == tuple(said(text, add_special_tokens=False)["input_ids"])
    assert (
        plain.encode("w1", "good").ids
        == tuple(said("[CLS]User: w1\n\nAssistant: good[SEP]", add_special_tokens=False)["input_ids"])
        or plain.encode("w1", "good").ids[-1] == 3
    )
    prints = {LocalScorer(published, template=one).fingerprint for one in ("plain", str(tmp_path / "theirs.jinja"))}
    assert len(prints) == 2
    with pytest.raises(TemplateError, match="cannot be read"):
        RewardModel.load(published, template=str(tmp_path / "none.jinja"))


def test_what_was_rendered_with_stands_in_the_audit(published: Path, data: Path, tmp_path: Path) -> None:
    done = run("audit", published, data, "--template", "plain", "--out", tmp_path / "audit")
    assert done.returncode == 0, done.stderr
    inputs = json.loads((tmp_path / "audit" / "audit.json").read_text())["inputs"]
    assert "the template named: plain (sha256:" in inputs["rendering 0"]


def test_a_template_is_refused_where_nothing_asks_for_one(published: Path, tmp_path: Path) -> None:
    RewardModel.from_base(ModelConfig(base=str(published), max_tokens=64), seed=0).save(tmp_path / "ours")
    with pytest.raises(ConfigError, match="saved with it"):
        RewardModel.load(tmp_path / "ours", template="plain")
    with pytest.raises(ConfigError, match="encoder"):
        RewardModel.load(tiny.base(tmp_path / "encoder"), template="plain")
    with pytest.raises(InputError, match="is no model"):
        open_scorer("baseline:longest", template="plain")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_rewards_that_are_not_finite_end_with_2_and_their_count(
    number: float, published: Path, data: Path, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(published, folder)
    weights = load_file(folder / "model.safetensors")
    weights["score.weight"] = torch.full((1, 32), number)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    done = run("score", folder, data, "--template", "plain", "--out", tmp_path / "scores.jsonl")
    assert done.returncode == 2, done.stderr
    assert b"12 of 12 pairs a reward that is not finite" in done.stderr
    rows = list(read_jsonl(tmp_path / "scores.jsonl"))
    assert len(rows) == 12
    assert all(row["chosen"] is None and "not finite" in row["reason"] for row in rows)


def test_a_saved_model_says_that_its_output_is_the_reward(published: Path, tmp_path: Path) -> None:
    RewardModel.from_base(ModelConfig(base=str(published), max_tokens=64), seed=0).save(tmp_path / "ours")
    assert json.loads((tmp_path / "ours" / "config.json").read_text())["problem_type"] == "regression"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
def test_any_terminal_encoding_keeps_the_exit_code(encoding: str, published: Path, data: Path, tmp_path: Path) -> None:
    done = run("audit", published, data, "--template", "plain", "--out", tmp_path / "日本", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"\\u65e5\\u672c\\u8a9e" in done.stdout
