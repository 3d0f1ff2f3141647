"""run.json: what ran, on what, for how long. Knows the run folder; knows no stage."""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.artifacts import RunFolder, sha256_json
from assay.config import StageConfig
from assay.errors import ArtifactError
from assay.version import __version__, versions

SCHEMA = "run/1"
PACKAGES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "numpy", "scipy")


def machine() -> dict[str, Any]:
    """The size of this machine: cores this process may use, memory in GiB, Python and platform."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
    }


@contextmanager
def only_writer(run: RunFolder) -> Iterator[None]:
    """Hold the run folder: a second process that wants it gets an error instead of a torn run."""
    with run.path(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ArtifactError(
                f"{run.root} is in use by another assay process. Wait for it, or give --out another folder."
            ) from None
        yield


class Ledger:
    """Keeps run.json current while stages run."""

    def __init__(self, run: RunFolder, *, command: str, config: StageConfig, inputs: Mapping[str, str]) -> None:
        self.run = run
        self.stages: list[dict[str, Any]] = []
        key = sha256_json({"config": config.model_dump(mode="json"), "inputs": dict(inputs)})
        refuse_other_inputs(run, key)
        self.body: dict[str, Any] = {
            "name": Path(run.root).name,
            "status": "running",
            "key": key,
            "command": command,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "assay_version": __version__,
            "config": config.model_dump(mode="json"),
            "inputs": dict(inputs),
            "machine": machine(),
            "versions": versions(PACKAGES),
        }
        self.write()

    def write(self, **more: Any) -> None:
        """Add `more` to run.json and write it."""
        self.body.update(more)
        self.run.write("run.json", SCHEMA, {**self.body, "stages": self.stages})

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time one stage; what the caller puts in the yielded dict stands beside its seconds."""
        start = time.monotonic()
        entry: dict[str, Any] = {"name": name, "seconds": 0.0, "tokens": None}
        yield entry
        entry["seconds"] = entry.get("seconds") or round(time.monotonic() - start, 2)
        self.stages.append(entry)
        self.write()


def refuse_other_inputs(run: RunFolder, key: str) -> None:
    """A folder belongs to one configuration and one set of inputs; resuming anything else would mix two runs."""
    if not run.path("run.json").exists():
        return
    before = run.read("run.json", SCHEMA)
    if before.get("key") != key:
        raise ArtifactError(
            f"{run.root} holds a run with another configuration or other data "
            f"(command: {before.get('command')!r}). Give --out another folder, or delete this one."
        )
