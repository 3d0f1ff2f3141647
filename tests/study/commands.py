"""`assay study ...` in a process of its own, without the start of the other command groups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# The sub-app as `assay` mounts it, and what main does with errors; the other groups are not needed here.
RUN = """
import sys, typer
from assay.cli import study
from assay.errors import AssayError
app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
study.register(app)
try:
    app()
except AssayError as error:
    sys.stderr.write(f"assay: {error}\\n")
    sys.exit(2)
"""


def assay(*words: str, cwd: Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", RUN, "study", *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr
