"""The plot of docs/performance.md from benchmarks/results/prompt_share.json, as SVG written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 360, 56, 48, 16, 150
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.axis{stroke:#999}.grid{stroke:#9993}"
    ".two{stroke:#2563eb;fill:#2563eb}.sixteen{stroke:#d97706;fill:#d97706}path{fill:none!important;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}"
)


def plot(path: Path, body: dict[str, Any]) -> None:
    """Gain over prompt/answer ratio: lines are what token counts promise, points are what the clock said."""
    high = 1 + int(max([6.0, *(p["time_ratio"] for p in body["points"])]))

    def x(ratio: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ratio / 8

    def y(gain: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * gain / high

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    parts.append(f"<title>Gain of sharing over prompt/answer ratio</title><style>{STYLE}</style>")
    for gain in range(0, high + 1, 1 if high <= 10 else 2):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{x(8)}" y1="{y(gain):.1f}" y2="{y(gain):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(gain) + 4:.1f}" text-anchor="end">{gain}x</text>')
    for ratio in range(9):
        parts.append(f'<text x="{x(ratio):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{ratio}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{x(8)}" y1="{y(0)}" y2="{y(0)}"/>')
    middle = f"{(LEFT + x(8)) / 2:.0f}"
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">prompt tokens / answer tokens</text>')
    for answers, name, words in ((2, "two", "2 answers, training"), (16, "sixteen", "16 answers, scoring")):
        points = [p for p in body["points"] if p["answers"] == answers]
        promised = [(r / 4, answers * (r / 4 + 1) / (r / 4 + answers)) for r in range(33)]
        line = " L".join(f"{x(r):.1f},{y(g):.1f}" for r, g in promised)
        parts.append(f'<path class="{name}" d="M{line}"/>')
        parts += [
            f'<circle class="{name}" cx="{x(p["prompt_over_answer"]):.1f}" cy="{y(p["time_ratio"]):.1f}" r="4"/>'
            for p in points
        ]
        parts.append(f'<text x="{x(8) + 8:.1f}" y="{y(promised[-1][1]) + 4:.1f}">{words}</text>')
    parts.append("</svg>\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    root = Path(__file__).parent
    result = json.loads((root / "results/prompt_share.json").read_text(encoding="utf-8"))
    plot(root.parent / "docs" / "images" / "prompt_share.svg", result)
