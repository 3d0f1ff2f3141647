"""Whether a gate's verdict holds for the model at hand: only while every file between the two is what it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.gate.gate_standing import gate_standing
from tests.support.gated_run import FAILS, decide, gated_run


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gated_run(tmp_path_factory.mktemp("gated"))


@pytest.fixture
def run(passed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(passed, tmp_path / "run"))


def test_a_run_that_passed(run: Path) -> None:
    found = gate_standing(run, 0)
    assert found.passed
    assert found.sentence == f"the gate of {run} passed it."


def test_a_run_that_failed_names_the_criterion(run: Path) -> None:
    decide(run, FAILS)
    found = gate_standing(run, 0)
    assert (found.word, found.passed) == ("fail", False)
    assert f"the gate of {run} failed it: {FAILS}: " in found.sentence


def one_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def more(path: Path) -> None:
    path.write_text("{}")


def resaid(path: Path) -> None:
    """The same verdict, said of another audit."""
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "inputs": {**body["inputs"], "audit.json": "sha256:" + "0" * 64}}))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("gate.json", Path.unlink, "no gate has decided on it"),
        ("gate.json", resaid, "audit.json is not the file that gate.json was decided on"),
        ("audit.json", Path.unlink, "audit.json is missing"),
        ("audit.json", one_byte, "is not JSON"),
        ("seed-0/scores.jsonl", one_byte, "scores.jsonl is not the file that audit.json was made from"),
        ("seed-0/train.json", Path.unlink, "is not of seed 0"),
        ("seed-0/model/model.safetensors", one_byte, "model.safetensors is not the file that was audited"),
        ("seed-0/model/tokenizer.json", Path.unlink, "tokenizer.json is not the file that was audited"),
        ("seed-0/model/adapter_config.json", more, "was put beside the model after it was audited"),
    ],
)
def test_what_was_changed_since_has_no_verdict(
    run: Path, name: str, change: Callable[[Path], object], said: str
) -> None:
    change(run / name)
    found = gate_standing(run, 0)
    assert found.word == "unknown"
    assert said in found.sentence


def test_a_card_beside_the_model_changes_no_reward(run: Path) -> None:
    (run / "seed-0" / "model" / "README.md").write_text("# A model")
    assert gate_standing(run, 0).passed


def test_a_seed_that_was_not_audited(run: Path) -> None:
    assert gate_standing(run, 7).word == "unknown"
