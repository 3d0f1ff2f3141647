"""How often the audit names what is wrong, and anything where nothing is: `python benchmarks/operating_table.py`.

Simulated audits (drawn_audits.py), at 200, 400 and 1,000 pairs and an intraclass correlation of 0 and 0.3. For each
planted defect: how often a finding expected to name it goes off, and how often any does. For each clean reward: how
often any finding goes off. For figures whose truth is known: how often the interval holds it. EXPECTED is the one
table of which finding is to catch what; a finding that this version of assay does not have counts as not found.

Rows go to `--rows` as they are done, a line a cell: started again, the script goes on after the last whole cell.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drawn_audits as worlds
from assay.artifacts.files import write_json
from assay.audits import Audit, audit
from assay.audits.config import AuditConfig
from assay.version import versions
from drawn_audits import Defect, World

RESULTS = Path(__file__).parent / "results"
SIZES, CORRELATIONS = (200, 400, 1000), (0.0, 0.3)
TRUTH_PAIRS = 100_000  # for the true value of a figure
ALARMS = {"warning", "problem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One row of the table. expected: findings of which one at least must go off; "degenerate:NAME" is a named problem.

    right: percent of pairs that the sound reward under it gets right.
    """

    words: str
    defect: Defect
    size: float = 1.0
    expected: tuple[str, ...] = ()
    right: int = 80
    liking: float = 0.2
    votes: bool = False


SPREAD = worlds.SPREAD_AT[80]
LENGTH = ("length_overuse", "accuracy_beyond_length", "accuracy_without_length", "reward_length_correlation")
OF_LENGTH = ("gain_over_length", "accuracy_beyond_length", "accuracy_without_length", "reward_length_correlation")
STYLE = ("style_overuse",)
LABELS = ("flipped_labels", "labels_against_votes")
CLEAN: Mapping[str, Planted] = {
    "clean_80": Planted(words="calibrated, 80% right", defect=worlds.nothing),
    "clean_80_length": Planted(words="the same, length a half of what people value", defect=worlds.nothing, liking=0.5),
    "clean_80_votes": Planted(words="calibrated on majorities of three votes", defect=worlds.nothing, votes=True),
    "clean_95": Planted(words="calibrated, 95% right", defect=worlds.nothing, right=95),
    "clean_98": Planted(words="calibrated, 98% right", defect=worlds.nothing, right=98),
}
EXPECTED: Mapping[str, Planted] = {
    "length": Planted(words="reward is length alone", defect=worlds.length_only, expected=OF_LENGTH),
    "length_25": Planted(
        words="length mixed in, 0.25 sd", defect=worlds.length_mixed, size=SPREAD / 4, expected=LENGTH
    ),
    "length_50": Planted(words="length mixed in, 0.5 sd", defect=worlds.length_mixed, size=SPREAD / 2, expected=LENGTH),
    "length_100": Planted(words="length mixed in, 1 sd", defect=worlds.length_mixed, size=SPREAD, expected=LENGTH),
    "style_50": Planted(words="markdown worth 0.5 sd", defect=worlds.markdown, size=SPREAD / 2, expected=STYLE),
    "style_100": Planted(words="markdown worth 1 sd", defect=worlds.markdown, size=SPREAD, expected=STYLE),
    "style_200": Planted(words="markdown worth 2 sd", defect=worlds.markdown, size=2 * SPREAD, expected=STYLE),
    "flipped_10": Planted(words="10% of labels flipped", defect=worlds.flipped, size=0.1, expected=LABELS),
    "flipped_20": Planted(words="20% of labels flipped", defect=worlds.flipped, size=0.2, expected=LABELS),
    "flipped_10_votes": Planted(
        words="10% flipped, votes known", defect=worlds.flipped, size=0.1, expected=LABELS, votes=True
    ),
    "flipped_20_votes": Planted(
        words="20% flipped, votes known", defect=worlds.flipped, size=0.2, expected=LABELS, votes=True
    ),
    "leaked_5": Planted(
        words="5% of prompts leaked into training",
        defect=worlds.leaked,
        size=0.05,
        expected=("leaked_prompts", "leak_gain"),
    ),
    "constant": Planted(words="constant", defect=worlds.constant, expected=("degenerate:constant",)),
    "saturated": Planted(words="behind a sigmoid", defect=worlds.saturated, size=6.0, expected=("saturation",)),
    "coarse": Planted(words="five grades", defect=worlds.coarse, expected=("degenerate:few_distinct_values",)),
    "not_finite": Planted(
        words="2% not finite", defect=worlds.not_finite, size=0.02, expected=("degenerate:non_finite",)
    ),
    "annotator": Planted(
        words="one reader of ten picks the left",
        defect=worlds.biased_annotator,
        expected=("biased_annotators", "unreliable_annotators"),
        votes=True,
    ),
    "half_prompt": Planted(
        words="half of the prompt's meaning ignored",
        defect=worlds.half_blind,
        size=0.5,
        expected=("own_prompt_preferred", "swapped_accuracy"),
    ),
    "generator": Planted(
        words="one generator inflated by 1 sd", defect=worlds.one_generator, size=SPREAD, expected=("source_overuse",)
    ),
    "over_15": Planted(
        words="over-confident, x1.5", defect=worlds.confidence, size=1.5, expected=("calibration_slope",)
    ),
    "over_20": Planted(words="over-confident, x2", defect=worlds.confidence, size=2.0, expected=("calibration_slope",)),
    "under_15": Planted(
        words="under-confident, /1.5", defect=worlds.confidence, size=1 / 1.5, expected=("calibration_slope",)
    ),
    "under_30": Planted(
        words="under-confident, /3", defect=worlds.confidence, size=1 / 3, expected=("calibration_slope",)
    ),
    "surely_wrong": Planted(
        words="2% surely wrong", defect=worlds.surely_wrong, size=0.02, expected=("flipped_labels", "calibration_slope")
    ),
    "noise": Planted(words="noise", defect=worlds.noise, expected=("accuracy",)),
    "turned": Planted(words="sign turned", defect=worlds.turned, expected=("accuracy",)),
    "category": Planted(
        words="one category of five at 57%", defect=worlds.bad_category, size=0.25, expected=("category_gap",)
    ),
}
ROWS: Mapping[str, Planted] = {**CLEAN, **EXPECTED}
# Figures whose interval is held against the truth, measured on one world of TRUTH_PAIRS pairs.
COVERED = (
    "accuracy",
    "accuracy_beyond_length",
    "length_matched_accuracy",
    "accuracy_without_length",
    "reward_length_correlation",
    "gain_over_length",
    "separation",
    "calibration_error",
    "calibration_slope",
    "temperature",
    "brier_score",
    "log_loss",
    "category_gap",
)
COVERED_IN = ("clean_80", "clean_95", "clean_98", "over_20", "category")


def drawn(name: str, n: int, icc: float, number: int) -> World:
    planted = ROWS[name]
    seed = (number, n, round(100 * icc), list(ROWS).index(name))
    world = worlds.draw(n, icc, seed=seed, right=planted.right, liking=planted.liking, votes=planted.votes)
    planted.defect(world, planted.size)
    return world


def audited(world: World) -> Audit:
    told = worlds.told(world)
    return audit(told.scores, told.pairs, groups=told.groups, config=AuditConfig(resamples=400))


def went_off(found: Audit) -> list[str]:
    """Names of what the audit complains of; named problems as degenerate:NAME beside degenerate itself."""
    names = {finding.name for finding in found.findings if finding.verdict in ALARMS}
    degenerate = found.find("degenerate")
    problems = degenerate.detail.get("problems", {}) if degenerate is not None else {}
    return sorted(names | {f"degenerate:{name}" for name in problems})


def covered(found: Audit, truth: Mapping[str, float]) -> dict[str, bool]:
    """Whether each figure's interval holds the truth; figures without an interval are left out."""
    held = {}
    for name, value in truth.items():
        finding = found.find(name)
        if finding is not None and finding.bounds is not None:
            held[name] = finding.bounds.low - 1e-9 <= value <= finding.bounds.high + 1e-9
    return held


def cell(task: tuple[str, int, float, int]) -> dict[str, Any]:
    """All audits of one cell: counts only, so that a row stays small."""
    name, n, icc, audits = task
    truth = true_values(name, icc) if name in COVERED_IN else {}
    started, off, any_off, named = time.process_time(), Counter[str](), 0, 0
    holds, measured = Counter[str](), Counter[str]()
    expected = set(ROWS[name].expected)
    for number in range(audits):
        found = audited(drawn(name, n, icc, number))
        names = went_off(found)
        off.update(names)
        any_off += bool(names)
        named += bool(expected & set(names))
        for figure, inside in covered(found, truth).items():
            measured[figure] += 1
            holds[figure] += inside
    return {
        "name": name,
        "pairs": n,
        "icc": icc,
        "audits": audits,
        "named": named,
        "any": any_off,
        "off": dict(off.most_common()),
        "covered": {figure: [holds[figure], measured[figure]] for figure in measured},
        "seconds_an_audit": round((time.process_time() - started) / audits, 3),
    }


def true_values(name: str, icc: float) -> dict[str, float]:
    """Figures of one large world of this kind."""
    found = audited(drawn(name, TRUTH_PAIRS, icc, 0))
    values = {figure: found.find(figure) for figure in COVERED}
    truth = {figure: one.known for figure, one in values.items() if one is not None and one.known is not None}
    if ROWS[name].defect is not worlds.bad_category:
        truth["category_gap"] = 0.0
    if ROWS[name].defect is worlds.nothing:
        truth |= {"calibration_error": 0.0, "calibration_slope": 1.0, "temperature": 1.0}
    return truth


def wanted(options: argparse.Namespace) -> list[tuple[str, int, float, int]]:
    names = options.only or list(ROWS)
    return [(name, n, icc, options.audits) for name in names for n in options.pairs for icc in options.icc]


def done_already(path: Path, audits: int) -> dict[tuple[str, int, float], dict[str, Any]]:
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line that was being written when it was killed
        if row["audits"] == audits:
            rows[row["name"], row["pairs"], row["icc"]] = row
    return rows


def share(count: int, of: int) -> str:
    return f"{100 * count / of:.0f}%" if of else "unknown"


def table(rows: Mapping[tuple[str, int, float], Mapping[str, Any]]) -> Iterator[str]:
    """The markdown of docs/audit.md: clean rewards, then defects, then intervals."""
    places = sorted({(icc, n) for _, n, icc in rows}, key=lambda place: (place[0], place[1]))
    heads = [f"{n:,}, ICC {icc:g}" for icc, n in places]
    for title, names, count in (
        ("nothing wrong: any alarm", CLEAN, "any"),
        ("planted: named as what it is", EXPECTED, "named"),
    ):
        yield f"| {title} | {' | '.join(heads)} |"
        yield "|---" * (len(heads) + 1) + "|"
        for name, planted in names.items():
            cells = [rows.get((name, n, icc)) for icc, n in places]
            if any(cells):
                shown = [share(one[count], one["audits"]) if one else "" for one in cells]
                yield f"| {planted.words} | {' | '.join(shown)} |"
        yield ""
    yield "| interval covers, lowest and highest over the cells | of 95% |"
    yield "|---|---|"
    for figure in COVERED:
        seen = [row["covered"][figure] for row in rows.values() if figure in row["covered"]]
        if seen:
            shares = [held / of for held, of in seen if of]
            yield f"| `{figure}` | {100 * min(shares):.1f} to {100 * max(shares):.1f}% |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=500, help="simulated audits a cell")
    parser.add_argument("--pairs", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--icc", type=float, nargs="*", default=list(CORRELATIONS))
    parser.add_argument("--only", nargs="*", help=f"these rows only: {', '.join(ROWS)}")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rows", type=Path, default=RESULTS / "operating_table.jsonl", help="cells as they are done")
    parser.add_argument("--out", type=Path, default=RESULTS / "operating_table.json")
    options = parser.parse_args()
    rows = done_already(options.rows, options.audits)
    tasks = wanted(options)
    left = [task for task in tasks if task[:3] not in rows]
    options.rows.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.processes) as pool, options.rows.open("a", encoding="utf-8") as stream:
        for row in pool.map(cell, left):
            rows[row["name"], row["pairs"], row["icc"]] = row
            stream.write(json.dumps(row) + "\n")
            stream.flush()
            told = f"{row['name']} {row['pairs']} {row['icc']:g}: named {row['named']}, any {row['any']}"
            print(f"{told} of {row['audits']}, {row['seconds_an_audit']} s an audit", file=sys.stderr, flush=True)
    shown = {key: rows[key] for key in (task[:3] for task in tasks)}
    about = {"python": platform.python_version(), "cores": os.cpu_count(), "versions": versions(("numpy", "scipy"))}
    error = round(100 * math.sqrt(0.05 * 0.95 / options.audits), 1)
    body = {"audits": options.audits, "error_at_5_percent": error, "rows": list(shown.values()), "machine": about}
    write_json(options.out, "operating_table/1", body)
    print("\n".join(table(shown)))


if __name__ == "__main__":
    main()
