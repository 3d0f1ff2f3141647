"""What Prometheus reads: each family once, buckets that add up, labels that cannot break out of their quotes."""

from __future__ import annotations

import re

from assay.serve.prometheus_text import Counter, Gauge, Histogram, Readings, exposition

LINE = re.compile(
    r'(# (HELP|TYPE) \w+ .+|\w+(\{\w+="([^"\\\n]|\\.)*"(,\w+="([^"\\\n]|\\.)*")*\})? (-?[0-9.e+-]+|\+Inf))'
)


def test_families_are_lines_that_can_be_read() -> None:
    rows = Counter("rows_total", "Rows.")
    rows.add(3, outcome="rewarded", dialect="vllm")
    rows.add(2, dialect="vllm", outcome="rewarded")
    rows.add(1, dialect='a"b\\c\nd', outcome="x")
    waits = Histogram("wait_seconds", "Seconds.", (0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        waits.observe(value)
    text = exposition([rows, waits, Gauge("open", "Open.", lambda: 0.5), Counter("none_total", "None yet.")])
    lines = text.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), text
    assert 'rows_total{dialect="vllm",outcome="rewarded"} 5' in lines
    assert 'rows_total{dialect="a\\"b\\\\c\\nd",outcome="x"} 1' in lines
    # A bound holds what is equal to it, and the last bucket everything.
    assert [line for line in lines if line.startswith("wait_seconds_bucket")] == [
        'wait_seconds_bucket{le="0.1"} 2', 'wait_seconds_bucket{le="1"} 3', 'wait_seconds_bucket{le="+Inf"} 4',
    ]  # fmt: skip
    assert "wait_seconds_sum 7.65" in lines
    assert "wait_seconds_count 4" in lines
    assert "open 0.5" in lines
    assert "none_total 0" in lines


def test_readings_are_asked_for_when_they_are_read_and_unknown_ones_have_no_line() -> None:
    known: dict[tuple[tuple[str, str], ...], float] = {}
    family = Readings("share", "A share.", "gauge", lambda: known)
    assert exposition([family]) == "# HELP share A share.\n# TYPE share gauge\n"
    known[(("of", "b"),)], known[(("of", "a"),)] = 0.5, 1.0
    assert exposition([family]).splitlines()[2:] == ['share{of="a"} 1', 'share{of="b"} 0.5']


def test_a_number_that_is_none_is_written_as_prometheus_reads_it() -> None:
    lines = exposition([Gauge("mean", "A mean.", lambda: float("nan"))]).splitlines()
    assert lines[-1] == "mean NaN"
