"""The tables of remedies: every remedy in every table, differences readable, what is missing said, not left blank."""

from __future__ import annotations

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.remedies_body import BestOfBody, RemediesBody, RemedyFigure, RemedyRow
from assay.report.remedies_table import line, table


def figure(value: float, more: float | None = None, low: float = 0.0, high: float = 0.0) -> RemedyFigure:
    span = IntervalBody(low=low, high=high, level=0.95, method="t")
    return RemedyFigure(
        value=value, n=40, interval=span, more=more, more_interval=None if more is None else span
    )  # fmt: skip


NONE = RemedyRow(
    name="none", kind="training", settings={}, figures={"accuracy": figure(0.8)}, probes={"filler": figure(0.6)},
    gold=figure(-1.0), turn="turns", turn_words="gold turns at n = 2", seconds=3.25, serving=1210.4, passes=1,
)  # fmt: skip
BETTER = NONE.model_copy(
    update={
        "name": "corrected_length", "figures": {"accuracy": figure(0.79, -0.01, -0.04, 0.02)},
        "probes": {"filler": figure(0.2, -0.4, -0.5, -0.3)}, "gold": figure(0.5, 1.5, 1.0, 2.0), "turn": "undecided",
        "seconds": None, "notes": ("gold under the pressing policy: no prompt has an answer",),
    }
)  # fmt: skip
REFUSED = RemedyRow(name="text", kind="training", settings={}, why_not="an encoder speaks no answer")


def body(*rows: RemedyRow) -> RemediesBody:
    return RemediesBody(
        command="assay remedies", data="pairs.jsonl", simulated=True, base="minilm", seeds=(0, 1, 2), held_out=40,
        level=0.95, elsewhere=None,
        best_of=BestOfBody(candidates="c.jsonl", gold="truth", n=64, random=-0.2, best=1.6), search=None, processes=3,
        rows=rows, versions={}, assay_version="0",
    )  # fmt: skip


def test_a_remedy_is_a_line_of_each_table() -> None:
    lines = table(body(NONE, BETTER, REFUSED)).splitlines()
    assert "| none | 80.0% |" in lines
    assert "| corrected length | 79.0% (-1.0; -4.0 to +2.0) |" in lines
    assert "| none | -1.00 | turns |" in lines
    assert "| corrected length | +0.50 (**+1.50; +1.00 to +2.00**) | undecided |" in lines
    assert "| corrected length | 20.0% (**-40.0; -50.0 to -30.0**) |" in lines
    assert "| none | 3.2 |  | 1,210 | 1 |  |" in lines
    assert "| corrected length | none of its own |  | 1,210 | 1 |  |" in lines
    assert "- text: an encoder speaks no answer" in lines
    assert "- corrected length: gold under the pressing policy: no prompt has an answer" in lines
    assert any("simulated pairs" in one for one in lines)
    assert any("3 processes at once" in one for one in lines)


def test_what_was_not_measured_is_said() -> None:
    page = table(body(NONE, BETTER.model_copy(update={"gold": None, "turn": None, "serving": None})))
    assert "| corrected length | unknown | unknown |" in page
    assert "| not timed |" in page


def test_one_line_says_how_far_it_is() -> None:
    assert line(BETTER, 2, 3) == (
        "2 of 3  corrected length: accuracy 79.0% (-1.0; -4.0 to +2.0), gold at best of n +0.50 (+1.50; +1.00 to +2.00)"
    )
    assert line(REFUSED, 3, 3) == "3 of 3  text: not made"
