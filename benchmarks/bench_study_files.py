"""A finished study of 420 editors and 7,000 votes: how long `study import` of its sheets and `study analyse` take.

    python benchmarks/bench_study_files.py            # 1,400 prompts, five editors each; several systems: --systems 3

The installed commands run as processes of their own, so start-up is in the figure. The sheets are filled in by chance
with a lean to the second system; a second import of the same sheets must find every vote there already.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from assay.study import create_study
from assay.study.config import StudyConfig
from assay.study.exchange.task_folders import write_tasks
from assay.study.plan import Sources
from assay.study.store.closing import close_study
from assay.study.study_records import Editor

RESULTS = Path(__file__).parent / "results"
SENTENCE = "The tap drips because a washer is worn; close the valve, open the tap, and change it. "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--editors", type=int, default=420)
    parser.add_argument("--prompts", type=int, default=1400)
    parser.add_argument("--overlap", type=int, default=5, help="editors a prompt")
    parser.add_argument("--systems", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the study and its sheets here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        sheets, votes = filled_study(folder, options)
        taken = {"import": timed(folder, "import", "study.db", *map(str, sheets), "--from", "jsonl")}
        taken["import again"] = timed(folder, "import", "study.db", *map(str, sheets), "--from", "jsonl")
        close_study(str(folder / "study.db"))
        taken["analyse"] = timed(folder, "analyse", "study.db", "--out", "result")
    report(options, votes, taken)


def filled_study(folder: Path, options: argparse.Namespace) -> tuple[list[Path], int]:
    """A study, its tasks as JSON lines, and a choice in every line."""
    rng = random.Random(0)
    files = []
    for system in range(options.systems):
        files.append(folder / f"system-{system}.jsonl")
        rows = [
            {
                "id": f"p{n}",
                "prompt": f"Question {n} about a dripping tap?",
                "answer": SENTENCE * (3 + (n * (system + 3)) % 7) + f"Number {system}{n}.",
                "category": f"part {n % 6}",
            }
            for n in range(options.prompts)
        ]
        files[-1].write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    people = [Editor(name=f"editor-{n}") for n in range(options.editors)]
    config = StudyConfig(repeats=0, attention=0, overlap=options.overlap, seed=0)
    create_study(str(folder / "study.db"), Sources(generations=tuple(files)), people, config=config)
    write_tasks(str(folder / "study.db"), folder / "tasks", tool="jsonl")
    sheets, votes = sorted((folder / "tasks").glob("*.jsonl")), 0
    for sheet in sheets:
        rows = [json.loads(line) for line in sheet.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            # A choice that favours the last system a little, ties among them: so that no figure is degenerate.
            ours = "left" if f"Number {options.systems - 1}" in row["left"] else "right"
            other = {"left": "right", "right": "left"}[ours]
            row["choice"] = rng.choices((ours, other, "tie", "both_bad"), (5, 4, 2, 1))[0]
        sheet.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
        votes += len(rows)
    return sheets, votes


def timed(folder: Path, *words: str) -> float:
    """Wall-clock seconds of one `assay study` command."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "assay.cli.main", "study", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - start
    if done.returncode not in (0, 1, 3):
        sys.exit(done.stderr)
    return taken


def report(options: argparse.Namespace, votes: int, taken: dict[str, float]) -> None:
    for name, seconds in taken.items():
        print(f"{name:14}{seconds:7.1f} s")
    together = taken["import"] + taken["analyse"]
    print(f"{votes:,} votes by {options.editors} editors, import and analyse together {together:.1f} s")
    body = {
        "schema": "bench_study_files/1",
        "command": "python benchmarks/bench_study_files.py",
        "votes": votes,
        "editors": options.editors,
        "systems": options.systems,
        "seconds": {name: round(seconds, 2) for name, seconds in taken.items()},
        "machine": {
            "cores": os.cpu_count(),
            "load_average_at_end": os.getloadavg()[0],
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in ("sqlalchemy", "numpy", "scipy")},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "study_files.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
