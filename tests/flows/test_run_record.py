"""One process holds a run folder; what an experiment is, and which of its options are free."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.flows.run_record import FREE, only_writer, without
from assay.train.reward_config import RewardConfig

HOLD = """
import sys, time
from pathlib import Path
from assay.artifacts.run_folder import RunFolder
from assay.flows.run_record import only_writer
with only_writer(RunFolder(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_writer_is_told_so_and_may_come_after_the_first(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with only_writer(run):
        with pytest.raises(ArtifactError, match="in use by another assay process"), only_writer(RunFolder(tmp_path)):
            pass
        with pytest.raises(ArtifactError, match="in use"), only_writer(RunFolder(tmp_path)):  # still held
            pass
    with only_writer(run):
        pass


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ArtifactError, match="in use"), only_writer(RunFolder(tmp_path)):
            pass
        process.send_signal(signal.SIGKILL)
    with only_writer(RunFolder(tmp_path)):
        pass


def test_free_options_are_no_part_of_the_experiment_and_all_others_are() -> None:
    config = RewardConfig().model_dump(mode="json")
    kept = without(config, FREE)
    assert set(kept) == {
        "data", "split", "select", "augment", "model", "loss", "regularise", "train", "stopping",
    }  # fmt: skip
    assert set(config["train"]) - set(kept["train"]) == {"seeds", "report_to", "save_every"}  # type: ignore[arg-type]
    assert kept["data"] == config["data"]
    assert without({"a": {"b": {"c": 1, "d": 2}}}, [("a", "b", "c")]) == {"a": {"b": {"d": 2}}}
