"""A figure beside the reward over versions: gaps stay gaps, less is drawn upside down where less is better."""

from __future__ import annotations

import re

from assay.report.plots.version_plot import scaled, version_plot


def beads(drawing: str, style: int) -> list[float]:
    """Heights of the beads of one curve, from the top."""
    return [float(cy) for cy in re.findall(rf'<circle class="bead seed{style}"[^>]*cy="([\d.]+)"', drawing)] or [
        float(cy) for cy in re.findall(rf'cy="([\d.]+)"[^>]*class="bead seed{style}"', drawing)
    ]


def test_between_least_and_most_and_in_the_middle_where_nothing_varies() -> None:
    assert scaled([2.0, None, 4.0, 3.0]) == [0.0, None, 1.0, 0.5]
    assert scaled([2.0, 2.0]) == [0.5, 0.5]
    assert scaled([None, None]) == [None, None]


def test_a_gap_has_no_bead_and_turned_figures_rise_where_they_fall() -> None:
    versions = [f"version number {k}" for k in range(9)]
    rising: list[float | None] = [float(k) for k in range(9)]
    gap: list[float | None] = [*rising[:4], None, *rising[5:]]
    plain = version_plot(versions, rising, gap, named="refunds", turned=False)
    turned = version_plot(versions, rising, gap, named="refunds", turned=True)
    assert beads(plain, 2) == []
    assert len(beads(version_plot(versions, rising, gap, named="x", turned=False, preference=gap), 2)) == 8
    assert len(beads(plain, 0)) == 9
    assert len(beads(plain, 1)) == 8
    assert beads(plain, 1) == sorted(beads(plain, 1), reverse=True)  # higher is nearer to the top
    assert beads(turned, 1) == sorted(beads(turned, 1))
    assert plain.count("version n…") == 5  # every other version is named, and cut
    assert "less is better" in turned
