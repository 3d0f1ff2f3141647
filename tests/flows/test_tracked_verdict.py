"""A tracked run to its end: run.json and the report say where, and the verdict stands beside the curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from assay.artifacts.run_body import RunBody
from assay.flows.run_record import RunRecord
from assay.flows.tracked_verdict import tracked_verdict
from assay.gate.verdict import Verdict
from assay.tracking import all_trackers
from assay.tracking.tracker import TrackedRun
from tests.support import tiny_bases as tiny
from tests.support.made_run import make_run
from tests.support.ready_commands import ready_assay
from tests.tracking.test_all_trackers import events

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")]


def test_run_report_and_trackers_name_each_other(tmp_path: Path) -> None:
    base, data, out = tiny.base(tmp_path / "bert"), tmp_path / "pairs.jsonl", tmp_path / "support"
    rows = [{"id": one.id, "prompt": f"{one.prompt} w{number % 37}", "chosen": one.chosen, "rejected": one.rejected}
            for number, one in enumerate(tiny.pairs(120))]  # fmt: skip
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["reward", data, "--base", base, "--out", out, "--holdout", "40", "--max-tokens", "64", "--seeds", "2"]
    words += ["--precision", "float32", "--set", "train.epochs=1", "--set", "train.report_to=[tensorboard]", "--json"]
    done = ready_assay(*words)
    verdict = json.loads(done.stdout)["verdict"]  # nothing but the result on standard output
    told = RunBody.read(out / "run.json").tracked
    assert [(one.tracker, one.seed, one.failed) for one in told] == [
        ("tensorboard", 0, None), ("tensorboard", 1, None), ("tensorboard", None, None),
    ]  # fmt: skip
    page = (out / "report.html").read_text(encoding="utf-8")
    for one in told:
        assert str(one.place).partition(" ")[0] in page
    found = events(out / "tensorboard")
    said = found.Tensors("verdict/text_summary")[0].tensor_proto.string_val[0]
    assert said.decode() == verdict
    assert "files/report.html/text_summary" in found.Tags()["tensors"]
    again = ready_assay(*words)
    assert again.returncode == done.returncode
    assert RunBody.read(out / "run.json").tracked == told  # nothing was trained anew, and it is still tracked there


class Closed:
    """A tracker that says only whether it was closed."""

    place = "here"
    times = 0

    def __init__(self, run: TrackedRun) -> None: ...

    def figures(self, step: int, values: Mapping[str, float]) -> None: ...

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None: ...

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None: ...

    def close(self) -> None:
        Closed.times += 1


def test_a_page_that_cannot_be_written_leaves_no_tracker_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_trackers, "OPENERS", {"closed": Closed})
    run = make_run(tmp_path / "run", pairs=40, seeds=1)
    record = object.__new__(RunRecord)  # of a run that is there; its own way in is a training
    record.run, record.body = run, RunBody.read(run.path("run.json"))
    with (
        pytest.raises(OSError, match="full"),
        tracked_verdict(record, Verdict(verdict="pass", criteria=()), ["closed"], say=print),
    ):
        raise OSError("full")
    assert Closed.times == 1
