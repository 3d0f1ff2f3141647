"""One run over the processes of torchrun or accelerate launch: the first holds the folder and speaks, others follow.

A follower takes the same steps, since it needs the same rows to train on, but what it writes of its own it writes into
a folder that is thrown away; of the shared folder it has the seeds, which the trainer writes once. Knows folders and
ranks; knows no stage.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.artifacts.run_folder import RunFolder
from assay.flows.run_record import only_writer
from assay.train.process_group import told_of_others


class FollowersFolder(RunFolder):
    """A run folder as a follower sees it: the seeds are everybody's, all else is its own."""

    def __init__(self, own: Path | str, shared: Path | str) -> None:
        super().__init__(own)
        self.shared = RunFolder(shared)

    def seed(self, seed: int) -> Path:
        return self.shared.seed(seed)

    def take_over(self) -> None:
        """Have the artifacts that the first process has written."""
        for path in self.shared.root.glob("*.json"):
            shutil.copyfile(path, self.path(path.name))


def follows() -> bool:
    """Whether this is one of several processes, and not the first."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and int(os.environ.get("RANK", "0")) > 0


@contextmanager
def run_folder(out: Path | str) -> Iterator[RunFolder]:
    """The run folder as this process may write it. Raises ArtifactError where another run holds it.

    Raises TrainingError where another process of the run ends and this one waits for it.
    """
    with told_of_others():
        if follows():
            with tempfile.TemporaryDirectory(prefix="assay-follower-") as own:
                yield FollowersFolder(own, out)
        else:
            run = RunFolder(out)
            with only_writer(run):
                yield run
