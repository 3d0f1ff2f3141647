"""Trackers by their real libraries, read back by those; and one that fails, which ends and is said."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.tracking import all_trackers
from assay.tracking.all_trackers import Trackers
from assay.tracking.tracker import TrackedRun, Tracker

# What a fresh process does with the tracker that is named: steps, a start that goes on after step 2, a verdict.
SCRIPT = """
import json, sys
from pathlib import Path
from assay.tracking.all_trackers import Trackers
from assay.tracking.tracker import TrackedRun

name, folder = sys.argv[1], Path(sys.argv[2])
run = TrackedRun(name="support-seed-0", group="support", key="0123456789abcdef", folder=folder, options={"seed": 0})
said = []
trackers = Trackers([name], run, say=said.append)
for step in (1, 2):
    trackers.figures(step, {"train/loss": 1.0 / step, "train/odd": float("nan")})
trackers.histogram(2, "held_out/margins", [0.0, 1.0, 1.0, float("inf")])
page = folder / "report.html"
page.write_text("<p>a report")
trackers.keep({"verdict": "pass"}, [page])
trackers.close()
print("TOLD " + json.dumps({"said": said, "told": [one.model_dump() for one in trackers.told(0)]}))
"""


def tracked(name: str, folder: Path, **more: str) -> dict[str, Any]:
    """What became of it, told by a process of its own: these libraries read the environment as they are imported."""
    environment = {**os.environ, "WANDB_MODE": "offline", "TRACKIO_DIR": str(folder / "trackio"), **more}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"{name} prints where a command's result stands: {lines}"
    return dict(json.loads(lines[0].removeprefix("TOLD ")))


def needs(name: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"{name} is not installed: pip install 'assay[tracking]'")


def events(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    found.Reload()
    return found


def run_in(folder: Path, *, step: int = 0) -> TrackedRun:
    return TrackedRun(name="a-seed-0", group="a", key="k" * 16, folder=folder, options={"seed": 0}, step=step)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_tensorboard_holds_curves_histograms_and_words(tmp_path: Path) -> None:
    said: list[str] = []
    trackers = Trackers(["tensorboard"], run_in(tmp_path), say=said.append)
    for step in (1, 2, 3):
        trackers.figures(step, {"train/loss": 1.0 / step, "train/odd": float("nan")})
    trackers.histogram(2, "held_out/margins", [0.0, 1.0, 1.0, float("inf")])
    trackers.close()
    # Killed after step 3 with a checkpoint at 1: steps 2 and 3 are made again, and stand once.
    again = Trackers(["tensorboard"], run_in(tmp_path, step=1), say=said.append)
    for step in (2, 3):
        again.figures(step, {"train/loss": 10.0 / step})
    (tmp_path / "CARD.md").write_text("# A card")
    again.keep({"verdict": "pass"}, [tmp_path / "CARD.md"])
    again.close()
    found = events(tmp_path / "tensorboard")
    assert [(one.step, one.value) for one in found.Scalars("train/loss")] == [
        (1, 1.0), (2, 5.0), (3, pytest.approx(10 / 3)),
    ]  # fmt: skip
    assert "train/odd" not in found.Tags()["scalars"]
    assert said == []
    assert {"verdict/text_summary", "files/CARD.md/text_summary"} <= set(found.Tags()["tensors"])
    (one,) = trackers.told(0)
    assert (one.tracker, one.seed, one.failed) == ("tensorboard", 0, None)
    assert str(tmp_path / "tensorboard") in str(one.place)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_histogram_is_of_what_it_was_given(tmp_path: Path) -> None:
    trackers = Trackers(["tensorboard"], run_in(tmp_path), say=print)
    trackers.histogram(2, "held_out/margins", [0.0, 1.0, 1.0, float("inf")])
    trackers.histogram(3, "held_out/margins", [float("nan")])
    trackers.close()
    (one,) = events(tmp_path / "tensorboard").Histograms("held_out/margins")
    value = one.histogram_value
    assert (one.step, value.num, value.sum, value.min, value.max) == (2, 3, 2.0, 0.0, 1.0)


@pytest.mark.slow
@needs("wandb")
def test_wandb_offline(tmp_path: Path) -> None:
    found = tracked("wandb", tmp_path)
    (one,) = found["told"]
    assert (found["said"], one["failed"]) == ([], None)
    (written,) = tmp_path.glob("wandb/offline-run-*/run-0123456789abcdef.wandb")
    assert str(written.parent) in one["place"]
    assert "wandb sync" in one["place"]
    raw = written.read_bytes()
    for part in (b"train/loss", b"held_out/margins", b"support-verdict", b"report.html", b"verdict"):
        assert part in raw, part


@pytest.mark.slow
@needs("trackio")
def test_trackio_local(tmp_path: Path) -> None:
    import sqlite3

    found = tracked("trackio", tmp_path)
    (one,) = found["told"]
    assert (found["said"], one["failed"]) == ([], None)
    assert str(tmp_path / "trackio") in one["place"]
    assert "support-seed-0-012345" in one["place"]
    (database,) = (tmp_path / "trackio").glob("*.db")
    with sqlite3.connect(database) as opened:
        rows = opened.execute("SELECT step, metrics FROM metrics WHERE run_name = ? ORDER BY id", (
            "support-seed-0-012345",)).fetchall()  # fmt: skip
    text = " ".join(str(row) for row in rows)
    for part in ("train/loss", "held_out/margins", "verdict"):
        assert part in text, part
    assert any("report.html" in str(path) or path.read_bytes() == b"<p>a report"
               for path in (tmp_path / "trackio").rglob("*") if path.is_file())  # fmt: skip


class Broken:
    """A tracker that fails at step 2, as one whose server went away."""

    place = "nowhere for long"

    def __init__(self, run: TrackedRun) -> None:
        self.seen: list[int] = []

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        self.seen.append(step)
        if step == 2:
            raise ConnectionError("the server went away\nand said much more")

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None:
        self.seen.append(-step)

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None:
        self.seen.append(0)

    def close(self) -> None:
        self.seen.append(99)


def test_one_that_fails_ends_alone_and_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Broken] = []

    def broken(run: TrackedRun) -> Tracker:
        made.append(Broken(run))
        return made[-1]

    monkeypatch.setattr(all_trackers, "OPENERS", {**all_trackers.OPENERS, "broken": broken})
    said: list[str] = []
    trackers = Trackers(["broken", "tensorboard"], run_in(tmp_path), say=said.append)
    for step in (1, 2, 3):
        trackers.figures(step, {"train/loss": 1.0})
    trackers.histogram(3, "m", [1.0])
    trackers.close()
    assert made[0].seen == [1, 2]
    assert said == ["broken stopped at step 2 (the server went away); training goes on without it."]
    first, second = trackers.told(1)
    assert (first.place, first.failed) == ("nowhere for long", "stopped at step 2: the server went away")
    assert second.failed is None
    assert len(events(tmp_path / "tensorboard").Scalars("train/loss")) == 3


@pytest.mark.parametrize("error", [OSError("no disk"), SystemExit("no login")])
def test_one_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(run: TrackedRun) -> Tracker:
        raise error

    monkeypatch.setattr(all_trackers, "OPENERS", {"broken": broken})
    said: list[str] = []
    trackers = Trackers(["broken"], run_in(tmp_path), say=said.append)
    trackers.figures(1, {"train/loss": 1.0})
    (one,) = trackers.told(0)
    assert (one.place, one.failed) == (None, f"did not start: {error}")
    assert len(said) == 1


def test_a_person_who_interrupts_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(run: TrackedRun) -> Tracker:
        raise KeyboardInterrupt

    monkeypatch.setattr(all_trackers, "OPENERS", {"stopped": stopped})
    with pytest.raises(KeyboardInterrupt):
        Trackers(["stopped"], run_in(tmp_path), say=print)
