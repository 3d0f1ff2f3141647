"""run.json: what ran, on what, for how long. Knows the run folder; knows no stage."""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.artifacts.files import differences, sha256_json
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError, ConfigError
from assay.train.reward_config import RewardConfig
from assay.version import __version__, versions

SCHEMA = "run/1"
# These change no weight and no split: a run may be finished, or judged again, under others. Of seeds, more only.
FREE: tuple[tuple[str, ...], ...] = (
    ("criteria",),
    ("audit",),
    ("train", "report_to"),
    ("train", "save_every"),
    ("train", "seeds"),
)
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

    def __init__(self, run: RunFolder, *, command: str, config: RewardConfig, inputs: Mapping[str, str]) -> None:
        self.run = run
        self.stages: list[dict[str, Any]] = []
        experiment = experiment_of(config.model_dump(mode="json"), inputs)
        refuse_other_experiment(run, experiment, seeds=config.train.seeds)
        self.body: dict[str, Any] = {
            "name": Path(run.root).name,
            "status": "running",
            "key": sha256_json(experiment),
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


def experiment_of(config: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
    """What a run's weights and split depend on: its configuration without the parts in FREE, and its inputs."""
    kept: dict[str, Any] = {key: dict(part) if isinstance(part, Mapping) else part for key, part in config.items()}
    for *path, last in FREE:
        place = kept
        for part in path:
            place = place.get(part) or {}
        place.pop(last, None)
    return {"config": kept, "inputs": dict(inputs)}


def with_defaults(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recorded configuration with what an older assay had no option for: it did what the default says."""
    try:
        return RewardConfig.build(config).model_dump(mode="json")
    except ConfigError:  # an option of that assay which is none any more: compared as it was recorded
        return config


def refuse_other_experiment(run: RunFolder, experiment: Mapping[str, Any], *, seeds: Sequence[int]) -> None:
    """A folder belongs to one experiment: resuming anything else would mix two. One that trained nothing yet is free.

    Seeds may be added and none left out, or the best could be picked by hand. Raises ArtifactError that names what
    differs.
    """
    if not run.path("run.json").exists() or not any(run.root.glob("seed-*")):
        return
    before = run.read("run.json", SCHEMA)
    changed = differences(
        experiment_of(with_defaults(before.get("config") or {}), before.get("inputs") or {}), experiment
    )
    trained = sorted(int(path.parent.name.removeprefix("seed-")) for path in run.root.glob("seed-[0-9]*/train.json"))
    if left_out := [str(seed) for seed in trained if seed not in seeds]:
        changed.append(f"train.seeds leaves out {', '.join(left_out)}, which was trained here")
    if changed:
        raise ArtifactError(
            f"{run.root} holds a run with another configuration or other data: {'; '.join(changed[:4])} "
            f"(its command: {before.get('command')!r}). Give --out another folder, or delete this one."
        )
