"""How long an audit takes beside scoring: `python benchmarks/bench_audit.py [--pairs 100000]`.

Pairs of the simulated support desk, repeated with prompts of 60 words of their own (two pairs a prompt), and rewards
drawn for them and recorded. The installed command runs as a process, so its start, reading and the search for alike
prompts are in the figure.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from assay.simulate.support import support

DISTINCT = 1000


def rows(folder: Path, pairs: int) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Pairs and their recorded scores."""
    support(DISTINCT, seed=9).write(folder / "desk.jsonl")
    desk = [json.loads(line) for line in (folder / "desk.jsonl").read_text(encoding="utf-8").splitlines()]
    drawn = random.Random(0)
    words = [f"w{drawn.randrange(10**6)}" for _ in range(20_000)]
    prompt = ""
    for number in range(pairs):
        if number % 2 == 0:
            prompt = " ".join(drawn.choices(words, k=60))
        known = {name: value for name, value in desk[number % DISTINCT].items() if name != "group"}
        pair = {**known, "id": f"b{number}", "prompt": prompt}
        yield pair, {"pair_id": pair["id"], "chosen": drawn.gauss(1.2, 1.5), "rejected": 0.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, nargs="*", default=[1000, 100_000])
    for pairs in parser.parse_args().pairs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made = list(rows(folder, pairs))
            for file, side in (("pairs.jsonl", 0), ("scores.jsonl", 1)):
                text = "".join(json.dumps(both[side]) + "\n" for both in made)
                (folder / file).write_text(text, encoding="utf-8")
            del made
            started = time.perf_counter()
            words = ["audit", "scores.jsonl", "pairs.jsonl", "--out", "audit"]
            done = subprocess.run(
                [sys.executable, "-m", "assay.cli.main", *words],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                sys.exit(done.stderr)
            seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"{pairs:,} recorded pairs: {seconds:.1f} s, peak {peak:.2f} GiB", flush=True)


if __name__ == "__main__":
    main()
