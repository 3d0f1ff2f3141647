"""Figures of a step by hand, held-out accuracy, and a metrics file that has each step once."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl
from assay.records import Pair, PairScore
from assay.train.metrics import MetricsFile, Seen, held_out_accuracy, step_metrics


def test_step_metrics_by_hand() -> None:
    seen = [Seen("a", 3.0, 1.0, 0.1, 10), Seen("b", 0.0, 0.0, 0.6, 20), Seen("c", -1.0, 3.0, 0.8, 5)]
    found = step_metrics(seen)
    assert found["loss"] == pytest.approx(0.5)
    assert found["accuracy"] == pytest.approx(1 / 3)  # an equal pair is not right
    assert found["margin"] == pytest.approx((2 + 0 - 4) / 3)
    assert (found["reward_min"], found["reward_max"], found["reward_mean"]) == (-1, 3, 1)
    assert found["reward_std"] == pytest.approx((14 / 6) ** 0.5)  # 4+0+1+1+4+4 over six rewards around 1
    assert (found["pairs"], found["tokens"]) == (3, 35)


def test_held_out_accuracy_is_exact_and_counts_ties() -> None:
    pairs = [Pair(id=i, prompt="q", chosen="a", rejected="b") for i in "wxy"]
    pairs.append(Pair(id="z", prompt="q", chosen="a", rejected="b", label="tie"))
    rewards = (("w", 2, 1), ("x", 1, 1), ("y", 0, 3), ("z", 9, 0))
    scores = [PairScore(pair_id=i, chosen=c, rejected=r) for i, c, r in rewards]
    found = held_out_accuracy(scores, pairs)
    assert (found.accuracy, found.n, found.ties) == (1 / 3, 3, 1)
    assert found.margin == pytest.approx(-2 / 3)  # 1 + 0 - 3 over three
    nothing = held_out_accuracy([], [])
    assert (nothing.accuracy, nothing.n, nothing.margin) == (None, 0, None)


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
