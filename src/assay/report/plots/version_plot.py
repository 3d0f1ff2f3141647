"""One outside figure beside the reward over versions of a policy, each between its own least and most. Knows pixels."""

from __future__ import annotations

from collections.abc import Sequence

from assay.report.plots.charts import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, x_scale, y_scale
from assay.report.plots.svg import Drawing

MOST_NAMES = 6  # versions that are named under the axis; of more every other, third, ... one
LONGEST = 10
Series = Sequence[float | None]


def version_plot(
    versions: Sequence[str], reward: Series, figure: Series, *, named: str, turned: bool, preference: Series = ()
) -> str:
    """Reward solid, the figure dashed, people's preference dotted where it is known; a version without one has no bead.

    turned: less of the figure is better, and it is drawn upside down, so that up is better on every curve.
    """
    better = "less is better, drawn upside down" if turned else "more is better"
    drawing = Drawing(WIDTH, HEIGHT, label=f"{named} ({better}) beside the reward over {len(versions)} versions")
    x, y = x_scale(-0.3, len(versions) - 0.7), y_scale(-0.08, 1.08)
    step = -(-len(versions) // MOST_NAMES)
    for place in range(0, len(versions), step):
        name = versions[place]
        drawing.line(x(place), HEIGHT - BOTTOM, x(place), HEIGHT - BOTTOM + 4, "axis")
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        drawing.text(x(place), HEIGHT - BOTTOM + 16, short, "tick mid")
    drawing.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "version of the policy", "name mid")
    drawing.text(0, 11, "better", "name")
    drawn = [None if one is None else -one for one in figure] if turned else figure
    for style, series in enumerate((reward, drawn, preference)):
        points = [(x(place), y(value)) for place, value in enumerate(scaled(series)) if value is not None]
        if len(points) > 1:
            drawing.polyline(points, f"curve seed{style}")
        for across, up in points:
            drawing.circle(across, up, 3, f"bead seed{style}")
    return drawing.markup()


def scaled(series: Series) -> list[float | None]:
    """Between 0 at the least and 1 at the most; in the middle where all are the same."""
    known = [value for value in series if value is not None]
    low, reach = (min(known), max(known) - min(known)) if known else (0.0, 0.0)
    return [None if value is None else (value - low) / reach if reach else 0.5 for value in series]
