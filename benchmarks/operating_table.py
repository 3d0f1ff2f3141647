"""How often the audit names what is wrong, and anything where nothing is.

    OMP_NUM_THREADS=1 python benchmarks/operating_table.py                           # draws, hours
    python benchmarks/operating_table.py --fold docs/audit.md                        # draws nothing, writes the page

Simulated audits (drawn_audits.py), at 1,000, 400 and 200 pairs and an intraclass correlation of 0 and 0.3. For each
planted defect: how often a finding expected to name it goes off, and how often any does. For each clean reward: how
often any finding goes off. For figures whose truth is known: how often the interval holds it. EXPECTED is the one
table of which finding is to catch what; a finding that this version of assay does not have counts as not found.

Rows go to `--rows` as they are done, a line a hundred audits of a cell, every cell of one size in turn: started again,
the script goes on after the last whole line. What is shown of them is operating_text.py's.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import drawn_audits as worlds
from assay.artifacts.files import write_json
from assay.audits import Audit, audit
from assay.audits.config import AuditConfig
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.version import versions
from drawn_audits import Defect, World
from operating_text import Cell, Key, Shown, folded, text

RESULTS = Path(__file__).parent / "results"
SIZES, CORRELATIONS = (1000, 400, 200), (0.0, 0.3)  # in the order in which they are drawn
BLOCK = 100  # audits a line of the rows file
TRUTH_PAIRS, TRUTH_WORLDS = 50_000, 6  # for the true value of a figure
ALARMS = {"warning", "problem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One row of the table. expected: findings of which one at least must go off; "degenerate:NAME" is a named problem.

    right: percent of pairs that the sound reward under it gets right. beside: whether the audit also gets the training
    pairs and the rewards under exchanged prompts.
    """

    words: str
    defect: Defect
    size: float = 1.0
    expected: tuple[str, ...] = ()
    right: int = 80
    liking: float = 0.2
    votes: bool = False
    beside: bool = False


SPREAD = worlds.SPREAD_AT[80]
LENGTH = ("length_overuse", "accuracy_beyond_length", "accuracy_without_length", "reward_length_correlation")
OF_LENGTH = ("gain_over_length", "accuracy_beyond_length", "accuracy_without_length", "reward_length_correlation")
STYLE = ("style_overuse",)
LABELS = ("flipped_labels", "labels_against_votes")
CLEAN: Mapping[str, Planted] = {
    name: replace(planted, beside=True)
    for name, planted in {
        "clean_80": Planted(words="calibrated, 80% right", defect=worlds.nothing),
        "clean_80_length": Planted(words="the same, people like length", defect=worlds.nothing, liking=0.5),
        "clean_80_votes": Planted(words="calibrated on three votes", defect=worlds.nothing, votes=True),
        "clean_95": Planted(words="calibrated, 95% right", defect=worlds.nothing, right=95),
        "clean_98": Planted(words="calibrated, 98% right", defect=worlds.nothing, right=98),
    }.items()
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
        beside=True,
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
    "prompt_ignored": Planted(
        words="the prompt ignored", defect=worlds.blind, expected=("own_prompt_preferred",), beside=True
    ),
    "half_prompt": Planted(
        words="half of the prompt ignored",
        defect=worlds.blind,
        size=0.5,
        expected=("own_prompt_preferred",),
        beside=True,
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
# Figures whose interval is held against the truth, measured on worlds of TRUTH_PAIRS pairs.
COVERED = (
    "accuracy",
    "accuracy category=b",
    "accuracy_beyond_length",
    "accuracy_beyond_shortest",
    "accuracy_shorter_preferred",
    "accuracy_longer_preferred",
    "length_matched_accuracy",
    "accuracy_without_length",
    "reward_length_correlation",
    "gain_over_length",
    "separation",
    "calibration_error",
    "calibration_slope",
    "calibration_slope category=b",
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


def audited(world: World, *, beside: bool = False) -> Audit:
    told = worlds.told(world, beside=beside)
    config = AuditConfig(resamples=400)
    return audit(told.scores, told.pairs, groups=told.groups, config=config, evidence=told.evidence)


def figure(found: Audit, name: str) -> Finding | None:
    """By name, or by name and slice: "accuracy category=b"."""
    name, _, where = name.partition(" ")
    return found.find(name, where or OVERALL)


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
        finding = figure(found, name)
        if finding is not None and finding.bounds is not None:
            held[name] = finding.bounds.low - 1e-9 <= value <= finding.bounds.high + 1e-9
    return held


def part_of_cell(task: tuple[Key, range, Mapping[str, float]]) -> Cell:
    """Some audits of one cell, by number: counts only, so that a line stays small."""
    (name, n, icc), numbers, truth = task
    started, off, any_off, named = time.process_time(), Counter[str](), 0, 0
    holds, measured = Counter[str](), Counter[str]()
    expected, beside = set(ROWS[name].expected), ROWS[name].beside
    for number in numbers:
        found = audited(drawn(name, n, icc, number), beside=beside)
        names = went_off(found)
        off.update(names)
        any_off += bool(names)
        named += bool(expected & set(names))
        for figure_name, inside in covered(found, truth).items():
            measured[figure_name] += 1
            holds[figure_name] += inside
    return {
        "name": name,
        "pairs": n,
        "icc": icc,
        "first": numbers.start,
        "audits": len(numbers),
        "named": named,
        "any": any_off,
        "off": dict(off.most_common()),
        "covered": {figure_name: [holds[figure_name], measured[figure_name]] for figure_name in measured},
        "seconds": round(time.process_time() - started, 1),
    }


def true_values(task: tuple[str, float]) -> dict[str, float]:
    """Figures of large worlds of this kind, their mean: one alone is off by a third of a small audit's error."""
    name, icc = task
    worlds_of = [audited(drawn(name, TRUTH_PAIRS, icc, number)) for number in range(TRUTH_WORLDS)]
    values = {name: [figure(found, name) for found in worlds_of] for name in COVERED}
    known = {
        name: [one.known for one in of if one is not None and one.known is not None] for name, of in values.items()
    }
    truth = {name: sum(of) / len(of) for name, of in known.items() if len(of) == TRUTH_WORLDS}
    if ROWS[name].defect is not worlds.bad_category:
        truth["category_gap"] = 0.0
    if ROWS[name].defect is worlds.nothing:
        exact = {"calibration_error": 0.0, "calibration_slope": 1.0, "calibration_slope category=b": 1.0}
        truth |= {**exact, "temperature": 1.0}
    return truth


def done_already(path: Path) -> list[Cell]:
    """The lines of the rows file, without one that was being written when it was killed."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return lines


def joined(lines: Sequence[Cell]) -> dict[Key, Cell]:
    """Whole cells: the counts of their lines added up, each block of audits once."""
    cells: dict[Key, Cell] = {}
    seen: set[tuple[Key, int]] = set()
    for line in lines:
        key = line["name"], line["pairs"], line["icc"]
        if (key, line["first"]) in seen:
            continue
        seen.add((key, line["first"]))
        one = cells.setdefault(key, {"name": key[0], "pairs": key[1], "icc": key[2], "off": {}, "covered": {}})
        for count in ("audits", "named", "any", "seconds"):
            one[count] = one.get(count, 0) + line[count]
        for name, many in line["off"].items():
            one["off"][name] = one["off"].get(name, 0) + many
        for name, (held, of) in line["covered"].items():
            before = one["covered"].get(name, [0, 0])
            one["covered"][name] = [before[0] + held, before[1] + of]
    for one in cells.values():
        one["off"] = dict(sorted(one["off"].items(), key=lambda item: -item[1]))
    return cells


def truths(
    path: Path, wanted: set[tuple[str, float]], pool: ProcessPoolExecutor
) -> dict[tuple[str, float], dict[str, float]]:
    """True values of rows and correlations: from `path`, or measured and written there."""
    known = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        row = json.loads(line)
        known[row["name"], row["icc"]] = row["truth"]
    left = sorted(wanted - known.keys())
    with path.open("a", encoding="utf-8") as stream:
        for (name, icc), truth in zip(left, pool.map(true_values, left), strict=True):
            known[name, icc] = truth
            stream.write(json.dumps({"name": name, "icc": icc, "truth": truth}) + "\n")
            stream.flush()
    return known


def draw_all(options: argparse.Namespace, lines: list[Cell]) -> None:
    """Every block of audits that `lines` has not, the largest audits first, every cell of one size in turn."""
    done = {(line["name"], line["pairs"], line["icc"], line["first"]) for line in lines}
    left: list[tuple[Key, range]] = [
        ((name, n, icc), range(first, min(first + BLOCK, options.audits)))
        for n in options.pairs
        for first in range(0, options.audits, BLOCK)
        for icc in options.icc
        for name in options.only or ROWS
        if (name, n, icc, first) not in done
    ]
    options.rows.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.processes) as pool, options.rows.open("a", encoding="utf-8") as stream:
        wanted = {(name, icc) for (name, _, icc), _ in left if name in COVERED_IN}
        truth = truths(options.rows.with_suffix(".truth.jsonl"), wanted, pool)
        for line in pool.map(part_of_cell, [(key, numbers, truth.get((key[0], key[2]), {})) for key, numbers in left]):
            lines.append(line)
            stream.write(json.dumps(line) + "\n")
            stream.flush()
            told = f"{line['name']} {line['pairs']} {line['icc']:g}: named {line['named']}, any {line['any']}"
            print(f"{told} of {line['audits']}, {line['seconds']} s", file=sys.stderr, flush=True)


def processor() -> str:
    """What the machine says of its processor."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audits", type=int, default=500, help="simulated audits a cell")
    parser.add_argument("--pairs", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--icc", type=float, nargs="*", default=list(CORRELATIONS))
    parser.add_argument("--only", nargs="*", help=f"these rows only: {', '.join(ROWS)}")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rows", type=Path, default=RESULTS / "operating_table.jsonl", help="cells as they are done")
    parser.add_argument("--out", type=Path, default=RESULTS / "operating_table.json")
    parser.add_argument("--fold", type=Path, help="draw nothing: write the rows at hand into this page")
    options = parser.parse_args()
    lines = done_already(options.rows)
    if not options.fold:
        draw_all(options, lines)
    rows = joined(lines)
    about = {
        "python": platform.python_version(),
        "processor": processor(),
        "versions": versions(("assay", "numpy", "scipy")),
    }
    write_json(options.out, "operating_table/2", {"rows": list(rows.values()), "machine": about})
    shown = Shown(
        clean={name: one.words for name, one in CLEAN.items()},
        planted={name: one.words for name, one in EXPECTED.items()},
        figures=COVERED,
    )
    page = text(rows, shown, about)
    if options.fold:
        options.fold.write_text(folded(options.fold.read_text(encoding="utf-8"), page), encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
