"""The curve of a trade-off: one line an objective, over what moves; a rule where the combination stands."""

from __future__ import annotations

from collections.abc import Sequence

from assay.report import words
from assay.report.plots.charts import BOTTOM, HEIGHT, TOP, WIDTH, Line, frame, x_scale, y_scale
from assay.report.plots.svg import Drawing


def trade_off_plot(lines: Sequence[Line], *, x_words: str, stands_at: float | None) -> str:
    """Accuracy of each line over what moves. Raises ValueError where no line has a point."""
    across = [x for line in lines for x, _ in line.points]
    up = [y for line in lines for _, y in line.points]
    ends = "; ".join(
        f"{line.label} from {words.percent(line.points[0][1])} to {words.percent(line.points[-1][1])}" for line in lines
    )
    drawing = Drawing(WIDTH, HEIGHT, label=f"Accuracy over {x_words}: {ends}")
    x = x_scale(min(across), max(across))
    y = y_scale(max(0.0, min(0.5, *up) - 0.03), min(1.0, max(up) + 0.03))
    frame(drawing, x, y, x_words=x_words, y_words="accuracy", y_percent=True)
    drawing.line(x.start, y(0.5), x.end, y(0.5), "chance")
    if stands_at is not None and x.holds(stands_at):
        drawing.line(x(stands_at), TOP, x(stands_at), HEIGHT - BOTTOM, "threshold")
    for line in lines:
        pixels = [(x(at), y(value)) for at, value in line.points]
        drawing.polyline(pixels, f"curve seed{line.style % 4}")
        for px, py in pixels:
            drawing.circle(px, py, 2.5, f"bead seed{line.style % 4}")
    return drawing.markup()
