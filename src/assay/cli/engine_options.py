"""How a command that scores or answers is told by whom it is done: --engine, --workers, --tries, --worker-timeout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assay.cli.options import notes
from assay.errors import ConfigError

if TYPE_CHECKING:
    from assay.bulk.spread import Crewing

Engine = Annotated[
    Literal["local", "ray"] | None,
    typer.Option(
        "--engine",
        help="local: this process. ray (an extra): one worker a device, here or on the cluster of RAY_ADDRESS; "
        "killed, the same command goes on.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="With --engine ray: workers (one a GPU, else one for 4 cores)."),
]
Tries = Annotated[
    int | None,
    typer.Option(
        "--tries", min=1, help="With --engine ray: workers that one block may end before it is set aside (3)."
    ),
]
WorkerTimeout = Annotated[
    float | None,
    typer.Option(
        "--worker-timeout", min=1,
        help="With --engine ray: seconds after which a worker that gives nothing is taken for lost (never).",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """By whom the work is done; its fields are the options, in the order of --help."""

    engine: Engine = None
    workers: Workers = None
    tries: Tries = None
    worker_timeout: WorkerTimeout = None

    def crewing(self) -> Crewing | None:
        """How work is spread over workers; None where this process does it.

        Raises ConfigError for options that nothing would read.
        """
        if self.engine != "ray":
            given = {"--workers": self.workers, "--tries": self.tries, "--worker-timeout": self.worker_timeout}
            if told := [name for name, value in given.items() if value is not None]:
                raise ConfigError(f"{' and '.join(told)}: only --engine ray has workers. Add it, or leave them out.")
            return None
        from assay.bulk.dispatch import TRIES
        from assay.bulk.spread import Crewing

        return Crewing(workers=self.workers, tries=self.tries or TRIES, timeout=self.worker_timeout, said=said)


LOCAL = EngineOptions()


def refuse_parts(out: str) -> None:
    """Raises ConfigError for a folder or address as --out, which one process does not write."""
    from assay.bulk.folders import holds_parts

    if holds_parts(out):
        raise ConfigError(f"{out}: a folder of parts is written by --engine ray. Add it, or give a file as --out.")


def said(line: str) -> None:
    """A remark of the engine's on standard error."""
    notes().print(line, markup=False, style="dim")
