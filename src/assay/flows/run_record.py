"""run.json kept current while stages run, and the right to write in a run folder: one process, one experiment.

In order: hold the folder (`only_writer`), look what it began with (`begun_with`), refuse another experiment, then add
to the record what each stage has to say. Knows the run folder; knows no stage.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import JsonValue

from assay.artifacts.files import differences, sha256_json
from assay.artifacts.run_body import MachineBody, RunBody, StageBody
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.run_models import seeds_with
from assay.errors import ArtifactError, ConfigError
from assay.machine_size import memory_gib, usable_cpus
from assay.train.compile_choice import CompileChoice, named_in
from assay.train.experiment import FREE as FREE_IN_TRAINING
from assay.train.precision_choice import PrecisionChoice, trained_in
from assay.train.recorded_config import FlowConfig, recorded_config
from assay.version import __version__, versions

RUN = "run.json"
# These change no weight and no split: a run may be finished, or judged again, under others. Of seeds, more only.
FREE: tuple[tuple[str, ...], ...] = (
    ("criteria",),
    ("audit",),
    ("probes",),
    ("study",),
    ("dpo", "reference_store"),
    *(("train", name) for name in FREE_IN_TRAINING),
)
PACKAGES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "numpy", "scipy")


def machine() -> MachineBody:
    """The size of this machine: cores this process may use, memory in GiB, Python and platform."""
    return MachineBody(
        cpus=usable_cpus(),
        memory_gib=memory_gib(),
        python=platform.python_version(),
        platform=platform.platform(terse=True),
    )


@contextmanager
def only_writer(run: RunFolder) -> Iterator[None]:
    """Hold the run folder: a second process that wants it gets an error instead of a torn run."""
    # The system frees it when its process ends, however it ends: a kill leaves no folder that nobody may write to.
    lock = FileLock(run.path(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ArtifactError(
            f"{run.root} is in use by another assay process. Wait for it, or give another folder (--out)."
        ) from None
    try:
        yield
    finally:
        lock.release()


@dataclass(slots=True)
class StageEntry:
    """A stage under way; what it says of itself stands in place of the time measured around it."""

    name: str
    seconds: float | None = None
    tokens: int | None = None


class RunRecord:
    """Keeps run.json current while stages run.

    config: with the precision that is used, never `auto`, and with what train.compile is, if that is known yet.
    precision, layers: how they were chosen.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        command: str,
        config: FlowConfig,
        precision: PrecisionChoice,
        layers: CompileChoice | None = None,
        inputs: Mapping[str, str],
    ) -> None:
        self.run, self.layers = run, layers
        options = config.model_dump(mode="json")
        experiment = experiment_of(options, inputs)
        refuse_other_experiment(run, experiment, seeds=config.train.seeds)
        self.body = RunBody(
            name=Path(run.root).name,
            status="running",
            key=sha256_json(experiment),
            command=command,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            assay_version=__version__,
            config=options,
            precision=precision.body,
            inputs=dict(inputs),
            machine=machine(),
            versions=versions(PACKAGES),
            stages=(),
        )
        if layers is not None:
            self.body = self.body.with_more(compile=layers.body)
        self.body.write(run.path(RUN))

    def add(self, **more: object) -> None:
        """Add `more`, fields of RunBody, to run.json and write it."""
        self.body = self.body.with_more(**more)
        self.body.write(self.run.path(RUN))

    def settle_layers(self, choice: CompileChoice) -> None:
        """Put down whether layers are compiled, once it is measured: from then on the run is this experiment."""
        self.layers = choice
        train = self.body.config["train"]
        assert isinstance(train, Mapping)
        config = {**self.body.config, "train": {**train, "compile": choice.used}}
        self.add(config=config, key=sha256_json(experiment_of(config, self.body.inputs)), compile=choice.body)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageEntry]:
        """Time one stage and put it into run.json when it is over."""
        start = time.monotonic()
        stage = StageEntry(name)
        yield stage
        seconds = stage.seconds or round(time.monotonic() - start, 2)
        done = StageBody(name=name, seconds=seconds, tokens=stage.tokens)
        self.add(stages=(*self.body.stages, done))


def begun_with(run: RunFolder) -> PrecisionChoice | None:
    """The precision that run.json says the run trains in; None where none was measured and nothing trained yet."""
    path = run.path(RUN)
    if not path.exists():
        return None
    body = RunBody.read(path)
    found = PrecisionChoice.of(body.precision) if body.precision else trained_in(body.config, where=path)
    return found if found.asked == "auto" or has_begun(run) else None


def layers_begun_with(run: RunFolder) -> CompileChoice | None:
    """Whether the layers of the run are compiled, as run.json says; None where that is not known or nothing trained."""
    if not has_begun(run):
        return None
    body = RunBody.read(run.path(RUN))
    return CompileChoice.of(body.compile) if body.compile else named_in(body.config)


def has_begun(run: RunFolder) -> bool:
    return run.path(RUN).exists() and any(run.root.glob("seed-*"))


def experiment_of(config: Mapping[str, JsonValue], inputs: Mapping[str, str]) -> dict[str, object]:
    """What a run's weights and split depend on: its configuration without the parts in FREE, and its inputs."""
    return {"config": without(config, FREE), "inputs": dict(inputs)}


def without(options: Mapping[str, JsonValue], free: Sequence[tuple[str, ...]]) -> dict[str, JsonValue]:
    """Nested options without those at some paths."""
    kept: dict[str, JsonValue] = {}
    for name, value in options.items():
        below = [path[1:] for path in free if path[0] == name]
        if () in below:
            continue
        kept[name] = without(value, below) if isinstance(value, Mapping) else value
    return kept


def with_defaults(config: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """A recorded configuration with what an older assay had no option for: it did what the default says."""
    try:
        return recorded_config(config).model_dump(mode="json")
    except ConfigError:  # an option of that assay which is none any more: compared as it was recorded
        return config


def refuse_other_experiment(run: RunFolder, experiment: Mapping[str, object], *, seeds: Sequence[int]) -> None:
    """A folder belongs to one experiment: resuming anything else would mix two. One that trained nothing yet is free.

    Seeds may be added and none left out, or the best could be picked by hand. Raises ArtifactError that names what
    differs.
    """
    if not has_begun(run):
        return
    before = RunBody.read(run.path(RUN))
    changed = differences(experiment_of(with_defaults(before.config), before.inputs), experiment)
    if left_out := [str(seed) for seed in seeds_with(run.root, "train.json") if seed not in seeds]:
        changed.append(f"train.seeds leaves out {', '.join(left_out)}, which was trained here")
    if changed:
        raise ArtifactError(
            f"{run.root} holds a run with another configuration or other data: {'; '.join(changed[:4])} "
            f"(its command: {before.command!r}). Give another folder (--out), or delete this one."
        )
