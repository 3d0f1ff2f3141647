"""The row of a step, and a file that has each step once."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl
from assay.train.metrics import MetricsFile, step_row
from assay.train.objective import Seen


def seen(name: str, loss: float, tokens: int, weight: float = 1.0) -> Seen:
    return Seen(name=name, loss=loss, figures={}, tokens=tokens, weight=weight)


def test_the_row_of_a_step_by_hand() -> None:
    row = step_row([seen("a", 0.1, 10), seen("b", 0.6, 20), seen("c", 0.8, 5)], {"accuracy": 0.25})
    assert row == {"loss": pytest.approx(0.5), "accuracy": 0.25, "pairs": 3, "tokens": 35}
    assert list(row) == ["loss", "accuracy", "pairs", "tokens"]


def test_the_loss_of_a_step_is_the_one_that_was_minimised() -> None:
    row = step_row([seen("a", 1.0, 1, weight=3.0), seen("b", 2.0, 1)], {})
    assert row["loss"] == pytest.approx((3 * 1.0 + 2.0) / 4)


def test_metrics_file_has_each_step_once_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    file = MetricsFile(path)
    file.resume(0)
    for step in range(1, 8):
        file.add(step, {"loss": step / 10})
        if step == 4:
            file.add(4, {"held_out_accuracy": 0.5})
    file.flush()
    with path.open("ab") as stream:
        stream.write(b'{"step":8,"lo')  # torn by a kill
    again = MetricsFile(path)
    again.resume(5)
    again.add(6, {"loss": 0.6})
    again.flush()
    rows = list(read_jsonl(path))
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[3] == {"step": 4, "loss": 0.4, "held_out_accuracy": 0.5}
    MetricsFile(path).resume(0)
    assert path.read_bytes() == b""
