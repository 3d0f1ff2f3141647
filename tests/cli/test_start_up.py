"""What is refused without a model is refused without the libraries of models: nobody waits for torch to read a typo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MODELS = ("torch", "transformers", "peft", "accelerate", "bitsandbytes", "datasets", "pandas", "scipy.stats")
NO_MODEL = tuple(name for name in MODELS if name != "scipy.stats")  # what decides by intervals needs that
# Runs command lines one after the other in one process; a line each of its exit code and of what it has imported.
WATCH = """
import json, sys
from assay.cli.main import main
for line in json.load(sys.stdin):
    sys.argv = ["assay", *line]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    print("@" + json.dumps([line, code, [name for name in MODELS if name in sys.modules]]))
"""


def watched(lines: list[list[str]], modules: tuple[str, ...] = MODELS) -> list[tuple[list[str], int, list[str]]]:
    """Each command line with its exit code and which of `modules` are imported once it is over."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH.replace("MODELS", repr(modules))],
        input=json.dumps(lines), capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return [tuple(json.loads(line[1:])) for line in done.stdout.splitlines() if line.startswith("@")]


def test_help_of_every_command_imports_no_library_of_models() -> None:
    groups = ["reward", "demo", "check", "split", "plan", "audit", "compare", "bench", "gate", "report", "score"]
    groups += ["remedies", "serve"]
    lines = [["--help"], ["--version"], *([name, "--help"] for name in (*groups, "simulate", "models", "study"))]
    assert watched(lines) == [(line, 0, []) for line in lines]


@pytest.mark.slow
def test_what_needs_no_model_is_refused_without_its_libraries(tmp_path: Path) -> None:
    pairs, out, gone = tmp_path / "pairs.jsonl", str(tmp_path / "out"), str(tmp_path / "gone")
    pairs.write_text(json.dumps({"prompt": "a", "chosen": "b", "rejected": "c"}) + "\n")
    there = str(pairs)
    lines = [
        ["reward", gone, "--out", out],
        ["reward", there, "--out", out, "--base", gone],
        ["reward", there, "--out", out, "--criteria", gone],
        ["reward", there, "--out", out, "--set", "train.nonsuch=1"],
        ["check", gone, "--out", out],
        ["split", gone, "--holdout", "1", "--out", out],
        ["score", "baseline:longest", gone, "--out", str(tmp_path / "scores.jsonl")],
        ["score", gone, there, "--out", str(tmp_path / "scores.jsonl")],
        ["study", "status", gone],
        ["serve", gone, "--port", "0"],
    ]
    assert watched(lines) == [(line, 2, []) for line in lines]
    deciding = [
        ["gate", gone],
        ["report", gone],
        ["audit", gone, there, "--out", out],
        ["compare", gone, gone, there, "--out", out],
        ["remedies", there, "--out", out, "--base", gone],
    ]
    assert watched(deciding, NO_MODEL) == [(line, 2, []) for line in deciding]


def test_a_wrong_path_leaves_no_run_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    [(_, code, _)] = watched([["reward", str(tmp_path / "gone.jsonl"), "--out", str(out)]])
    assert code == 2
    assert not out.exists()


def test_the_watch_sees_what_is_imported() -> None:
    """Else the others would hold whatever a command brought: `plan` computes with scipy.stats."""
    line = ["plan", "--accuracy", "0.78", "--categories", "5", "--pairs", "1000"]
    assert watched([line]) == [(line, 0, ["scipy.stats"])]
