"""`assay capability` by its installed command: the answer first, one JSON object, exit codes, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.capability import made_models


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("assay")), "capability", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow  # six runs of the command; what it computes is tested in tests/flows
def test_answer_json_gate_and_refusal(tmp_path: Path) -> None:
    base, mmlu = made_models.saved(tmp_path / "base"), made_models.questions(tmp_path / "mmlu")
    tuned, out = made_models.adapters(tmp_path / "tuned", base), tmp_path / "out"
    asked = (tuned, "--against", base, "--data", mmlu, "--out", out, "--shots", 2)
    done = run(*asked)
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("Cannot be told: the model before is not shown to be above guessing")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["asked", "letter", "text", "text"]
    assert "virology (3 of 3), 12 asked" in done.stderr
    told = run(*asked, "--json")
    body = json.loads(told.stdout)
    assert (body["schema"], body["outcome"], body["shots"]) == ("capability/1", "at_chance", 2)
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("criteria:\n  - capability drop < 0.02\n")
    gated = run(*asked, "--criteria", criteria)
    assert gated.returncode == 1
    assert "capability drop is unknown: at chance by letter" in gated.stdout
    (mmlu / "test" / "anatomy_test.csv").write_text("What?,a,b,c,d,A\nWhat, then?,a,b,c,d,A\n")
    wrong = run(*asked)
    assert wrong.returncode == 2
    assert "anatomy_test.csv:2: 7 fields under 6 columns" in wrong.stderr
    strange = run(tuned, "--data", mmlu, "--out", out, "--by", "heart")
    assert strange.returncode == 2
    assert "Input should be 'letter' or 'text'" in strange.stderr
