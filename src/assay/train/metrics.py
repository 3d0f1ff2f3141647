"""metrics.jsonl: what each optimiser step saw, once, whatever was killed in between. Knows figures; knows no method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson

from assay.artifacts.files import dumps, write_jsonl
from assay.train.objective import Seen

MetricsRow = Mapping[str, int | float]


def step_row(seen: Sequence[Seen], figures: Mapping[str, float]) -> dict[str, int | float]:
    """The row of one step: the loss as it was minimised, weights counted; the method's figures; what the step ran.

    Examples are counted as `pairs`, which is what all methods have trained on so far.
    """
    return {
        "loss": float(np.average([one.loss for one in seen], weights=[one.weight for one in seen])),
        **figures,
        "pairs": len(seen),
        "tokens": sum(one.tokens for one in seen),
    }


class MetricsFile:
    """metrics.jsonl with one row a step: a row is held until its step is over, then appended.

    After a kill, `resume(step)` drops what came later than the checkpoint and a last line that was torn. writes: of
    several processes, which all see the same figures, one writes.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path, self.writes = path, writes
        self._pending: dict[str, int | float] = {}

    def resume(self, step: int) -> None:
        """Keep the rows of steps up to `step`; 0 starts the file."""
        # Later rows are of steps that will be made again, and would then stand here twice.
        kept = [row for row in _whole_rows(self.path) if row["step"] <= step]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(self.path, kept)

    def add(self, step: int, values: MetricsRow) -> None:
        """Put values into the row of `step`, which must be the row being written or a new one."""
        if self._pending and self._pending["step"] != step:
            self.flush()
        # An evaluation speaks after its step has: both stand in one row.
        self._pending = {"step": step, **{k: v for k, v in self._pending.items() if k != "step"}, **values}

    def flush(self) -> None:
        """Append the row being written, if there is one."""
        if self._pending and self.writes:
            with self.path.open("ab") as stream:
                stream.write(dumps(self._pending) + b"\n")
        self._pending = {}

    def rows(self) -> list[MetricsRow]:
        """The rows written so far, in the order of their steps."""
        return _whole_rows(self.path)


def _whole_rows(path: Path) -> list[MetricsRow]:
    rows: list[MetricsRow] = []
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError:  # torn by a kill, and the last line there is
                break
    return rows
