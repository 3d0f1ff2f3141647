"""Outside figures by version: which got worse while the reward rose, with the numbers; nothing from three points."""

from __future__ import annotations

import pytest

from assay.audits.fresh.kpi_table import KpiTable, fall_sentence, kpi_falls, kpi_finding, rank_correlations


def table(reward: list[float | None], lower: tuple[str, ...] = (), **figures: list[float | None]) -> KpiTable:
    versions = [f"v{k}" for k in range(len(reward))]
    return KpiTable(versions=versions, reward=reward, preference=None, figures=figures, lower=frozenset(lower))


def test_a_figure_that_gets_worse_while_the_reward_rises_is_named_with_its_numbers() -> None:
    told = table([0.2, 0.5, 0.4, 0.9], csat=[4.2, 4.0, 3.9, 4.1])
    falls = kpi_falls(told)
    assert [(one.kpi, one.before, one.after) for one in falls] == [
        ("csat", "v0", "v1")
    ]  # v1 to v2: the reward fell too
    assert falls[0].figures == (4.2, 4.0)
    assert "csat went from 4.2 to 4 between v0 and v1 while the reward rose from 0.2 to 0.5" in fall_sentence(falls[0])
    finding = kpi_finding(told, falls)
    assert (finding.known, finding.verdict) == (1.0, "warning")


def test_the_direction_is_the_users_word() -> None:
    refunds = [0.04, 0.05, 0.03]
    assert kpi_falls(table([1.0, 2.0, 3.0], ("refunds",), refunds=refunds))[0].after == "v1"
    assert kpi_falls(table([1.0, 2.0, 3.0], refunds=refunds))[0].after == "v2"


def test_a_version_without_a_figure_is_stepped_over_and_slow_falls_are_seen_from_end_to_end() -> None:
    gap = table([1.0, None, 3.0, 4.0], csat=[4.0, 1.0, 3.5, None])
    assert [(one.before, one.after) for one in kpi_falls(gap)] == [("v0", "v2")]
    # The reward rises only where the figure rests; over all of it one rose and the other fell.
    slow = table([1.0, 2.0, 1.5], csat=[4.0, 4.0, 3.0])
    assert [(one.before, one.after) for one in kpi_falls(slow)] == [("v0", "v2")]
    alone = table([1.0, None], csat=[4.0, 3.0])
    assert kpi_falls(alone) == []
    assert "a rise needs two" in str(kpi_finding(alone, []).reason)


def test_rank_correlation_only_from_enough_versions() -> None:
    assert rank_correlations(table([1.0, 2.0, 3.0], csat=[3.0, 2.0, 1.0])) == {"csat": None}
    six: list[float | None] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert rank_correlations(table(six, csat=six[::-1]))["csat"] == pytest.approx(-1)
    assert rank_correlations(table(six, ("refunds",), refunds=six[::-1]))["refunds"] == pytest.approx(1)
    assert rank_correlations(table(six, csat=[1.0] * 6))["csat"] is None
