"""What a user sees: a bar with the time left on a terminal, plain lines that do not flood a log elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from assay.train.progress import Progress, bar, clock, display, plain, silent

NOW = Progress(
    seed=1, stage="train", step=5, steps=40, loss=0.51234, accuracy=0.75, pairs_per_second=8.04, seconds_left=3725
)


def test_clock() -> None:
    assert [clock(s) for s in (0, 59.6, 61, 3725)] == ["0:00", "1:00", "1:01", "1:02:05"]


def test_a_plain_line_says_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    show = plain()
    for step in range(1, 41):
        show(replace(NOW, step=step))
    show(replace(NOW, step=40, stage="check", held_out_accuracy=0.5))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3  # the first and the last of the steps, and the next stage; not forty
    assert lines[0] == "seed 1  train 1/40  loss 0.5123  accuracy 0.750  8.0 pairs/s  1:02:05 left"
    assert lines[2] == "seed 1  check 40/40  loss 0.5123  accuracy 0.750  held-out 0.5000  8.0 pairs/s"


def test_a_bar_on_a_terminal_shows_the_time_left() -> None:
    written = io.StringIO()
    show = bar(Console(file=written, force_terminal=True, width=160))
    show(NOW)
    show(replace(NOW, stage="stopped"))
    assert "5/40" in written.getvalue()
    assert "1:02:05 left" in written.getvalue()
    assert "8.0 pairs/s" in written.getvalue()


def test_no_terminal_no_bar_and_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    display()(NOW)
    silent(NOW)
    assert capsys.readouterr().err.startswith("seed 1  train 5/40")
