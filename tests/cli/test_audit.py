"""`assay audit` by its installed command: a model, recorded scores, and pairs the model cannot read whole."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.data.native_rows import as_native
from assay.models.config import ModelConfig
from assay.rewards.reward_model import RewardModel
from assay.scorers.open import KINDS
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model")
    RewardModel.from_base(ModelConfig(base=str(tiny.base(root / "base", "llama")), max_tokens=64)).save(root / "saved")
    return root / "saved"


def audit(*arguments: object) -> subprocess.CompletedProcess[str]:
    return ready_assay("audit", *arguments, "--json")


def test_a_pair_too_long_for_the_model_is_left_out_and_named(model: Path, tmp_path: Path) -> None:
    rows = [as_native(pair) for pair in tiny.pairs(12)]
    long = {**rows[0], "id": "long", "prompt": "w1 w2 w3", "chosen": "w5 " * 80}
    write_jsonl(tmp_path / "pairs.jsonl", [*rows, long])
    done = audit(model, tmp_path / "pairs.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert (body["rows"], body["pairs"], body["left_out"]) == (13, 12, 1)
    (row,) = read_jsonl(tmp_path / "out" / "left_out.jsonl")
    assert row["pair_id"] == "long"
    assert "the model reads 64" in row["why"]

    write_jsonl(tmp_path / "long.jsonl", [long])
    none = audit(model, tmp_path / "long.jsonl", "--out", tmp_path / "none")
    assert none.returncode == 2
    assert "can read none of the 1 pairs whole" in none.stderr
    assert not (tmp_path / "none").exists()


def test_recorded_scores_give_the_audit_of_the_model_that_gave_them(model: Path, tmp_path: Path) -> None:
    """Also where the model could not read an answer: the pair stands apart both times, and is not a wrong one."""
    rows = [as_native(pair) for pair in tiny.pairs(12)]
    long = {**rows[0], "id": "long", "prompt": "w1 w2 w3", "rejected": "w5 " * 80}
    write_jsonl(tmp_path / "pairs.jsonl", [*rows, long])
    scored = ready_assay("score", model, tmp_path / "pairs.jsonl", "--out", tmp_path / "scores.jsonl")
    assert scored.returncode == 0, scored.stderr
    ways = [audit(scorer, tmp_path / "pairs.jsonl", "--out", tmp_path / name)
            for name, scorer in (("a", model), ("b", tmp_path / "scores.jsonl"))]  # fmt: skip
    assert [way.returncode for way in ways] == [0, 0], ways[1].stderr
    first, second = ({**json.loads(way.stdout), "folder": "", "inputs": {}} for way in ways)
    assert first == second
    assert (first["pairs"], first["left_out"]) == (12, 1)
    left_out = [list(read_jsonl(tmp_path / name / "left_out.jsonl")) for name in "ab"]
    assert left_out[0] == left_out[1] != []

    (tmp_path / "bad.jsonl").write_text('{"pair_id": "p0-0", "chosen": "high", "rejected": 1}\n')
    bad = audit(tmp_path / "bad.jsonl", tmp_path / "pairs.jsonl", "--out", tmp_path / "c")
    assert bad.returncode == 2
    assert "bad.jsonl:1: no row of scores" in bad.stderr


@pytest.mark.parametrize("command", ["audit", "score"])
def test_columns_and_labels_are_named_as_everywhere(command: str, model: Path, tmp_path: Path) -> None:
    rows = [{"ask": f"w{n} w1", "response_a": "w2", "response_b": "w3 w4", "winner": n % 2} for n in range(8)]
    write_jsonl(tmp_path / "pairs.jsonl", rows)
    (tmp_path / "reward.yaml").write_text("train: {epochs: 1}\n")  # the file of `assay reward` serves here, too
    words = [command, model, tmp_path / "pairs.jsonl", "--out", tmp_path / "out", "--config", tmp_path / "reward.yaml"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return ready_assay(*words, "--columns", "prompt=ask,left=response_a,right=response_b,label=winner", *more)

    unsaid, said = run(), run("--labels", "0=left,1=right")
    assert unsaid.returncode == 2
    assert "--labels" in unsaid.stderr
    assert said.returncode == 0, said.stderr
    assert "8 pairs" in said.stdout


def test_baselines_are_audited_by_name(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [as_native(pair) for pair in tiny.pairs(12)])
    done = audit("baseline:longest", tmp_path / "pairs.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["inputs"]["scorer 0"] == "baseline:longest"
    other = audit("oracle:none", tmp_path / "pairs.jsonl", "--out", tmp_path / "none")
    assert other.returncode == 2
    said = other.stderr.partition("Kinds: ")[2]
    assert all(f"{kind}:..." in said for kind in KINDS)
    assert not (tmp_path / "none").exists()


def test_a_run_is_audited_over_its_seeds(model: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [as_native(pair) for pair in tiny.pairs(12)])
    for seed in (0, 3):
        (tmp_path / "run" / f"seed-{seed}").mkdir(parents=True)
        (tmp_path / "run" / f"seed-{seed}" / "model").symlink_to(model)
    done = audit(tmp_path / "run", tmp_path / "pairs.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["seeds"] == [0, 3]
    assert body["inputs"]["scorer 0"] == body["inputs"]["scorer 3"]


@pytest.mark.parametrize(("command", "read"), [("audit", "audit.level=0.9"), ("score", "data.ties=keep")])
def test_options_that_nothing_reads_are_errors(command: str, read: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [as_native(pair) for pair in tiny.pairs(12)])
    words = [command, "baseline:longest", tmp_path / "pairs.jsonl"]

    def run(setting: str) -> subprocess.CompletedProcess[str]:
        return ready_assay(*words, "--out", tmp_path / "out", "--set", setting)

    assert run(read).returncode == 0
    for setting in ("train.epochs=3", "model.base=minilm", "loss.name=margin", "split.holdout=3", "criteria=x.yaml"):
        done = run(setting)
        assert done.returncode == 2, setting
        assert setting.split("=")[0].split(".")[0] in done.stderr
