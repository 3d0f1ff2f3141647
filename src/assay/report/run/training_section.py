"""Training curves: loss, accuracy and gradient norm over steps, one line a seed. Knows metrics.jsonl; knows no HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from assay.report import words
from assay.report.plots import charts
from assay.report.run.first_lines import training_line
from assay.report.run.reported_run import ReportedRun

CURVE_POINTS = 160
# Title, the keys of metrics.jsonl to look for, whether it is a share, where the axis begins, and what it is in.
Panel = tuple[str, tuple[str, ...], bool, float | None, str]


def training(evidence: ReportedRun) -> dict[str, object]:
    """Loss, held-out accuracy and gradient norm over steps, one curve a seed."""
    wanted = (
        ("Loss", ("loss",), False, None, "training loss, nats; dotted: guessing (ln 2)"),
        ("Held-out accuracy", ("eval_accuracy", "held_out_accuracy"), True, None, "accuracy on held-out pairs"),
        ("Training accuracy", ("accuracy",), True, None, "accuracy on training batches"),
        ("Gradient norm", ("grad_norm", "gradient_norm"), False, 0.0, "gradient norm before clipping"),
    )
    told = training_line(evidence)
    return {
        "panels": panels(evidence, wanted),
        "untrained": told.text if told is not None else "",
        "seeds": [(one.seed, index % 4) for index, one in enumerate(evidence.seeds) if one.metrics],
    }


def panels(evidence: ReportedRun, wanted: Sequence[Panel]) -> list[dict[str, str]]:
    """Drawn curves, one line a seed, of those that have any point."""
    drawn = []
    for title, keys, share, floor, unit in wanted:
        lines = [
            charts.Line(f"seed {one.seed}", charts.smooth(found, CURVE_POINTS), index)
            for index, one in enumerate(evidence.seeds)
            for found in [curve_points(one.metrics, keys)]
            if found
        ]
        if lines:
            drawn.append(
                {
                    "title": title,
                    "svg": charts.curves(
                        lines,
                        y_words=unit,
                        percent=share,
                        floor=floor,
                        reference=math.log(2) if title == "Loss" else None,
                    ),
                }
            )
    return drawn


def curve_points(metrics: Sequence[Mapping[str, object]], keys: Sequence[str]) -> list[tuple[float, float]]:
    """(step, value) of the first key each row has; rows without a finite value are left out."""
    found = []
    for row in metrics:
        value = next((one for key in keys if words.known(one := row.get(key))), None)
        step = row.get("step")
        if value is not None and words.known(step):
            found.append((float(step), float(value)))
    return found
