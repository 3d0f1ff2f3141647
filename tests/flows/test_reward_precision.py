"""The flow chooses a precision once, says so in a line, keeps it in run.json and goes on with it anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.files import read_json, sha256_file
from assay.errors import ArtifactError
from assay.flows import reward as flow
from assay.flows.reward import run_reward
from assay.train.reward_config import RewardConfig
from tests.models.test_precision import measuring
from tests.support import tiny_bases as tiny


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "base")


def start(base: Path, out: Path, *, seeds: tuple[int, ...] = (0,), **train: str) -> list[str]:
    """Run the flow on a few pairs; the lines it said."""
    rows = [
        {"id": p.id, "prompt": f"w{n % 40} w{n // 40} w{n % 7}", "chosen": p.chosen, "rejected": p.rejected}
        for n, p in enumerate(tiny.pairs(80))
    ]
    config = RewardConfig.build(
        {
            "model": {"base": str(base), "max_tokens": 64},
            "split": {"holdout": 20},
            "train": {"epochs": 1, "seeds": seeds, **train},
        }
    )
    said: list[str] = []
    run_reward(rows, out, config=config, notify=said.append)
    return said


def precision_lines(said: list[str]) -> list[str]:
    return [line for line in said if "precision" in line]


def test_it_is_measured_said_stored_and_kept(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, 2.5)
    said = precision_lines(start(base, tmp_path / "run"))
    assert said == ["precision  bf16: this machine multiplies bf16 at 2.5 times float32's rate"]
    body = read_json(tmp_path / "run" / "run.json", "run/1")
    assert body["precision"] == {"asked": "auto", "used": "bf16", "factor": 2.5}
    assert body["config"]["train"]["precision"] == "bf16"
    page = (tmp_path / "run" / "report.html").read_text()
    assert "precision bf16 (chosen by a measurement: bf16 ran at 2.5 times float32" in page
    weights = sha256_file(tmp_path / "run" / "seed-0" / "model" / "model.safetensors")

    measuring(monkeypatch, 0.1)  # another machine
    said = precision_lines(start(base, tmp_path / "run", seeds=(0, 1)))
    assert said == ["precision  bf16: as this run began"]
    again = read_json(tmp_path / "run" / "run.json", "run/1")
    assert (again["precision"], again["key"]) == (body["precision"], body["key"])
    assert sha256_file(tmp_path / "run" / "seed-0" / "model" / "model.safetensors") == weights
    added = read_json(tmp_path / "run" / "seed-1" / "train.json", "train/1")
    assert added["precision"]["used"] == added["config"]["precision"] == "bf16"

    with pytest.raises(ArtifactError, match=r"train\.precision"):
        start(base, tmp_path / "run", seeds=(0, 1), precision="float32")


def test_a_run_that_was_killed_keeps_it(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, 0.1)
    train = flow.train.train_reward

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(flow.train, "train_reward", killed)
    with pytest.raises(KeyboardInterrupt):
        start(base, tmp_path / "run")
    monkeypatch.setattr(flow.train, "train_reward", train)
    measuring(monkeypatch, 2.5)
    assert precision_lines(start(base, tmp_path / "run")) == ["precision  float32: as this run began"]


def test_slow_bf16_is_obeyed_and_warned_of(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, 0.09)
    said = precision_lines(start(base, tmp_path / "run", precision="bf16"))
    assert len(said) == 1
    assert said[0].startswith("Warning: train.precision=bf16, but this machine multiplies bf16 at 0.09 times")
    body = read_json(tmp_path / "run" / "run.json", "run/1")
    assert body["precision"] == {"asked": "bf16", "used": "bf16", "factor": 0.09}
    assert read_json(tmp_path / "run" / "seed-0" / "train.json", "train/1")["config"]["precision"] == "bf16"


def test_float32_is_said_by_nobody(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, 0.09)
    assert precision_lines(start(base, tmp_path / "run", precision="float32")) == []
    assert read_json(tmp_path / "run" / "run.json", "run/1")["precision"]["factor"] is None
