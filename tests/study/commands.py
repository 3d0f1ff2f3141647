"""`assay study ...` as a command."""

from __future__ import annotations

from pathlib import Path

from tests.study.judged import run_assay

# For a process that starts anew: the sub-app as `assay` mounts it, and what main does with errors; the other groups are
# not needed here.
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
    return run_assay("study", *words, cwd=cwd, code=code)
