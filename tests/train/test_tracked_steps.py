"""A training that is tracked: curves are metrics.jsonl's rows, rewards are histograms, and no tracker is in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerCallback

from assay.artifacts.files import read_jsonl, sha256_file
from assay.artifacts.tracking_body import TRACKING, TrackingBody
from assay.train import tracked_steps, train_reward
from assay.train.tracked_steps import Guarded
from tests.support import tiny_bases as tiny
from tests.tracking.test_all_trackers import events

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "bert")


def train(base: Path, out: Path, **more: Any) -> Path:
    train_reward(tiny.pairs(24), tiny.pairs(6, seed=1), seed=0, out=out, **tiny.quick(base, epochs=2, **more))
    return out


def test_curves_are_the_rows_of_the_training(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracked_steps, "SHOWN_OF", 16)
    seed = train(base, tmp_path / "run" / "seed-0", report_to=("tensorboard",))
    rows = list(read_jsonl(seed / "metrics.jsonl"))
    found = events(seed / "tensorboard")
    assert [(one.step, one.value) for one in found.Scalars("train/loss")] == [
        (row["step"], pytest.approx(row["loss"], rel=1e-6)) for row in rows
    ]
    held_out = [row for row in rows if "held_out_accuracy" in row]
    assert [one.step for one in found.Scalars("held_out/accuracy")] == [row["step"] for row in held_out]
    margins = found.Histograms("held_out/margins")
    assert [(one.step, one.histogram_value.num) for one in margins] == [(row["step"], 6) for row in held_out]
    last = margins[-1].histogram_value
    assert last.sum / last.num == pytest.approx(held_out[-1]["held_out_margin"], abs=1e-5)
    assert all(one.histogram_value.num >= 16 for one in found.Histograms("train/rewards_chosen"))
    (place,) = TrackingBody.read(seed / TRACKING).tracked
    assert (place.tracker, place.seed, place.failed) == ("tensorboard", 0, None)


def test_a_tracker_that_fails_costs_nothing_and_is_said(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = train(base, tmp_path / "plain")
    assert not (plain / TRACKING).exists()
    taken = tmp_path / "taken"
    taken.write_text("a file where a folder would be")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(taken))
    seed = train(base, tmp_path / "failing", report_to=("tensorboard",))
    assert "tensorboard did not start" in caplog.text
    assert "training goes on without it" in caplog.text
    (place,) = TrackingBody.read(seed / TRACKING).tracked
    assert str(place.failed).startswith("did not start")
    weights = "model/model.safetensors"
    assert sha256_file(seed / weights) == sha256_file(plain / weights)


class Failing(TrainerCallback):
    """As a reporter of transformers whose server went away."""

    def __init__(self) -> None:
        self.calls = 0

    def on_log(self, *_: object, **__: object) -> None:
        self.calls += 1
        raise ConnectionError("gone")


def test_other_reporters_are_held_to_the_same() -> None:
    said: list[str] = []
    inner = Failing()
    held = Guarded(inner, "mlflow", said.append)
    for _ in range(3):
        held.on_log(None, None, None, logs={})  # type: ignore[arg-type]
    held.on_train_end(None, None, None)  # type: ignore[arg-type]
    assert inner.calls == 1
    assert said == ["mlflow failed (gone); training goes on without it."]
