"""SVG written by hand: a scale, ticks and a few marks. Knows pixels; knows no finding.

Colours and strokes come from the page's CSS by class, so a drawing follows light, dark and print by itself. Every text
and attribute is escaped here. Coordinates are pixels in a viewBox, rounded to a tenth, so the same data give the same
bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from assay.report.words import visible


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map from values low..high to pixels start..end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def clamp(self, value: float) -> float:
        """The pixel of `value`, held inside the scale."""
        return self(min(max(value, self.low), self.high))

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) inside low..high, about `count` of them.

    Raises ValueError if low..high is not finite.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"ticks needs finite ends, got {low} and {high}")
    if high <= low:
        return [low]
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    # A hair below, and above in the ends, for 0.1 + 0.2 is not 0.3: a tick must not be lost to rounding.
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    # + 0.0 makes a zero of -0.0, which would be written with its sign.
    return [round(index * step, 12) + 0.0 for index in range(first, last + 1)]


def decimals(values: Sequence[float]) -> int:
    """Decimals needed to tell neighbouring ticks apart."""
    gaps = [b - a for a, b in pairwise(values) if b > a]
    return max(0, -math.floor(math.log10(min(gaps)) + 1e-9)) if gaps else 1


def px(value: float) -> str:
    """A coordinate, to a tenth of a pixel. Raises ValueError if not finite."""
    if not math.isfinite(value):
        raise ValueError(f"a coordinate must be finite, got {value}")
    text = f"{value:.1f}"
    return "0" if text in ("-0.0", "0.0") else text.removesuffix(".0")


class Drawing:
    """One SVG image under construction; `markup()` ends it."""

    def __init__(self, width: float, height: float, *, label: str, css: str = "") -> None:
        self.width = width
        self.height = height
        self.label = label
        self.css = css
        self.parts: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        self.parts.append(f'<line class="{escape(css)}" x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}"/>')

    def rect(self, box: tuple[float, float, float, float], css: str, tip: str = "") -> None:
        """box: x, y, width, height."""
        x, y, width, height = box
        self.parts.append(
            f'<rect class="{escape(css)}" x="{px(x)}" y="{px(y)}" width="{px(max(width, 0))}" '
            f'height="{px(max(height, 0))}"{_close("rect", tip)}'
        )

    def circle(self, x: float, y: float, radius: float, css: str, tip: str = "") -> None:
        self.parts.append(
            f'<circle class="{escape(css)}" cx="{px(x)}" cy="{px(y)}" r="{px(radius)}"{_close("circle", tip)}'
        )

    def diamond(self, x: float, y: float, radius: float, css: str, tip: str = "") -> None:
        corners = ((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y))
        self.polygon(corners, css, tip)

    def polygon(self, points: Sequence[tuple[float, float]], css: str, tip: str = "") -> None:
        self.parts.append(f'<polygon class="{escape(css)}" points="{_points(points)}"{_close("polygon", tip)}')

    def polyline(self, points: Sequence[tuple[float, float]], css: str) -> None:
        self.parts.append(f'<polyline class="{escape(css)}" points="{_points(points)}"/>')

    def text(self, x: float, y: float, words: str, css: str = "") -> None:
        """css: `mid` or `end` anchors the text there; the start otherwise."""
        attribute = f' class="{escape(css)}"' if css else ""
        self.parts.append(f'<text{attribute} x="{px(x)}" y="{px(y)}">{escape(visible(words))}</text>')

    def markup(self) -> Markup:
        css = f"plot {self.css}".strip()
        head = (
            f'<svg class="{escape(css)}" role="img" aria-label="{escape(visible(self.label))}" '
            f'viewBox="0 0 {px(self.width)} {px(self.height)}" width="{px(self.width)}" height="{px(self.height)}">'
        )
        return Markup(head + "".join(self.parts) + "</svg>")


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{px(x)},{px(y)}" for x, y in points)


def _close(tag: str, tip: str) -> str:
    return f"><title>{escape(visible(tip))}</title></{tag}>" if tip else "/>"
