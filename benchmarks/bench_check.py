"""How fast and in how much memory `assay.data.check` takes a million pairs (about 1 GB of JSON lines).

    python benchmarks/bench_check.py [--pairs 1000000] [--distinct-prompts 500000] [--profile]

Prints a table and writes benchmarks/results/check.json. The data are made from a seed: prompts of some 60 words from a
vocabulary of 20,000 with natural frequencies, 2 pairs a prompt, 1% exact duplicates, 0.2% labelled both ways, 0.5%
broken rows, 1% near-duplicate prompts, three votes a pair.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import resource
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from assay.artifacts.files import dumps
from assay.data import check
from assay.data.config import DataConfig

RESULTS = Path(__file__).parent / "results" / "check.json"
CATEGORIES = ("helpfulness", "tone", "refusals", "hallucination", "brevity")
PACKAGES = ("assay", "numpy", "orjson", "rensa", "pydantic", "scipy")


def words(rng: np.random.Generator, vocabulary: list[str], count: int) -> list[str]:
    """`count` words, the r-th commonest with a frequency of about 1 / r."""
    ranks = np.minimum((len(vocabulary) ** rng.random(count)).astype(int), len(vocabulary) - 1)
    return [vocabulary[rank] for rank in ranks]


def vocabulary(rng: np.random.Generator, size: int) -> list[str]:
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    return ["".join(letters[rng.integers(0, 26, size=rng.integers(2, 11))]) for _ in range(size)]


def generate(path: Path, *, pairs: int, distinct: int, seed: int = 0) -> None:
    """Write the data."""
    rng = np.random.default_rng(seed)
    known = vocabulary(rng, 20_000)
    stock = words(rng, known, 4_000_000)  # texts are runs of this stock from random places: quick to make
    with path.open("wb") as stream:
        last: dict[str, Any] = {}
        prompt: list[str] = []
        each = max(1, pairs // distinct)
        for number in range(pairs):
            if number % each == 0:
                fresh = words(rng, known, int(rng.integers(40, 90)))
                if rng.random() < 0.01 and len(prompt) > 30:  # one word of the prompt before, changed
                    fresh = [*prompt]
                    fresh[int(rng.integers(len(fresh)))] = "changed"
                prompt = fresh
            draw = rng.random()
            if draw < 0.01 and last:
                row = {**last, "id": f"p-{number}"}
            elif draw < 0.012 and last:
                row = {**last, "id": f"p-{number}", "chosen": last["rejected"], "rejected": last["chosen"], "votes": []}
            else:
                row = {
                    "id": f"p-{number}",
                    "prompt": " ".join(prompt),
                    "chosen": " ".join(run(rng, stock, int(rng.integers(20, 80)))),
                    "rejected": " ".join(run(rng, stock, int(rng.integers(20, 80)))),
                    "category": CATEGORIES[number % 5],
                    "group": f"g-{number // each}",
                    "votes": ["chosen", "chosen", "rejected" if rng.random() < 0.3 else "chosen"],
                }
            last = row
            line = orjson.dumps(row)
            stream.write((line[:-20] if rng.random() < 0.005 else line) + b"\n")


def run(rng: np.random.Generator, stock: list[str], count: int) -> list[str]:
    start = int(rng.integers(len(stock) - count))
    return stock[start : start + count]


def processor() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measure(path: Path, out: Path) -> dict[str, Any]:
    """One check, timed; processor seconds over wall seconds tell how many cores it used."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    clock = time.perf_counter()
    report = check(path, out, config=DataConfig())
    seconds = time.perf_counter() - clock
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "rows": report.rows,
        "kept": report.kept,
        "rejects": {reason: count for reason, count in report.rejects.items() if count},
        "overlap": report.report.overlap.model_dump(),
        "file_bytes": path.stat().st_size,
        "wall_seconds": round(seconds, 2),
        "processor_seconds": round(used, 2),
        "pairs_per_second_per_core": round(report.rows / used),
        "load_average": round(os.getloadavg()[0], 1),
        "peak_rss_gib": round(peak / 2**30, 3),
        "seconds_by_part": report.report.seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--distinct-prompts", type=int, default=500_000)
    parser.add_argument("--profile", action="store_true", help="print where the time goes; no result is written")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        generate(path, pairs=options.pairs, distinct=options.distinct_prompts)
        if options.profile:
            with cProfile.Profile() as profile:
                check(path, Path(folder) / "out", config=DataConfig())
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        # the peak must be the check's, not the generator's: measured in a process of its own
        result = in_own_process(path, Path(folder) / "out")
    result |= {
        "distinct_prompts": options.distinct_prompts,
        "machine": {"processor": processor(), "system": platform.platform(terse=True)},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "command": "python benchmarks/bench_check.py",
    }
    for name, value in result.items():
        print(f"{name:28} {value}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(dumps(result, indent=True) + b"\n")


def in_own_process(path: Path, out: Path) -> dict[str, Any]:
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (path, out))


if __name__ == "__main__":
    main()
