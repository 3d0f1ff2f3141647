"""Trackio: local by default, on a Space or a server of one's own as its environment says (TRACKIO_SPACE_ID, ...)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from assay.tracking.tracker import TrackedRun

PROJECT = "assay"


class TrackioTracker:
    """One Trackio run, grouped with the other seeds of its training."""

    def __init__(self, run: TrackedRun) -> None:
        import trackio

        self._trackio: Any = trackio
        self._group = run.group
        # Runs are known by name: the key keeps a training apart from an earlier one in a folder of the same name.
        name = f"{run.name}-{run.key[:6]}"
        with _said_aside():
            self._run: Any = trackio.init(
                project=PROJECT, name=name, group=run.group, resume="allow", embed=False,
                config=dict(run.options), auto_log_gpu=False, auto_log_cpu=False,
            )  # fmt: skip
        self._name = name

    @property
    def place(self) -> str:
        from trackio import context_vars, utils

        space = context_vars.current_space_id.get()
        where = f"https://huggingface.co/spaces/{space}" if space else str(utils.TRACKIO_DIR)
        return f"{where}, project {PROJECT}, run {self._name} (look with `trackio show --project {PROJECT}`)"

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        with _said_aside():
            self._run.log(dict(values), step=step)

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None:
        with _said_aside():
            self._run.log({name: self._trackio.Histogram(list(values))}, step=step)

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None:
        with _said_aside():
            told = "\n".join(f"- {name}: {text}" for name, text in words.items())
            self._run.log({"verdict": self._trackio.Markdown(told)}, step=0)
            if files:
                artifact = self._trackio.Artifact(re.sub(r"[^\w.-]+", "-", f"{self._group}-verdict"), type="verdict")
                for path in files:
                    artifact.add_file(str(path), name=path.name)
                self._run.log_artifact(artifact)

    def close(self) -> None:
        with _said_aside():
            self._trackio.finish()


def _said_aside() -> redirect_stdout[Any]:
    """Trackio prints to standard output, where a command's result stands alone."""
    return redirect_stdout(sys.stderr)
