"""Majority, weighted jury and debate at the same number of calls, among simulated judges whose errors are known.

    python benchmarks/simulated_juries.py [--pairs 400] [--correlations 0,0.4,0.75]

The judges are simulated (tests/support/simulated_judges.py) and answer over a real server; all that is measured is how
ways of asking them add up. What debaters can find is an assumption of three kinds, and stands in the table. Prints the
table of docs/scorers.md and writes benchmarks/results/simulated_juries.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from assay.artifacts.files import write_jsonl
from assay.audits.compare.compared import compared
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.judge_cost import judge_cost
from assay.records import Pair
from assay.scorers.open import open_scorer
from assay.scorers.scored_pairs import ScoredPair, score_pairs
from assay.version import versions

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "simulated_juries.json"
WEIGHING = 200  # labelled pairs, apart from those compared
AGAINST = "three judges alike, majority"
# Ways of asking by what stands in the table: the judges of a jury, or (two debaters, judge) of a debate.
JURIES = {
    "one judge, three votes": ("majority", ("a-25",)),
    AGAINST: ("majority", ("a-25", "b-25", "c-25")),
    "15, 35 and 35% wrong, majority": ("majority", ("a-15", "b-35", "c-35")),
    "15, 35 and 35% wrong, by reliability": ("reliability", ("a-15", "b-35", "c-35")),
}
DEBATES = {
    "debate, speeches move nobody": "none",
    "debate, half of the speeches convince, for either answer": "talks",
    "debate, convincing for the right answer 70%, the wrong 35%": "tells",
    "debate, convincing for the right answer 90%, the wrong 5%": "shows",
}


@contextmanager
def server(correlation: float) -> Iterator[str]:
    """The address of simulated judges, in a process of their own."""
    command = [sys.executable, "-m", "tests.support.simulated_judges", str(correlation)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.terminate()
        running.wait()


def pairs_of(count: int, start: int = 0) -> list[Pair]:
    return [
        Pair(id=str(n), prompt=f"Question {n}?", chosen=f"Answer {n} (right).", rejected=f"Answer {n} (not).")
        for n in range(start, start + count)
    ]


def written(folder: Path, address: str) -> dict[str, str]:
    """Scorers by what stands in the table."""
    each = {"endpoint": address, "cache": str(folder / "kept"), "concurrency": 8}
    rows = [
        {"id": one.id, "prompt": one.prompt, "chosen": one.chosen, "rejected": one.rejected}
        for one in pairs_of(WEIGHING, start=10**6)
    ]
    write_jsonl(folder / "weights.jsonl", rows)
    found: dict[str, str] = {}
    for number, (told, (rule, judges)) in enumerate(JURIES.items()):
        votes = 3 // len(judges)
        body: dict[str, object] = {
            "judges": [{"model": f"judge-{one}", "votes": votes, **each} for one in judges], "rule": rule,
        }  # fmt: skip
        if rule == "reliability":
            body["weights_on"] = str(folder / "weights.jsonl")
        (folder / f"jury-{number}.yaml").write_text(yaml.safe_dump(body))
        found[told] = f"jury:{folder / f'jury-{number}.yaml'}"
    for told, kind in DEBATES.items():
        body = {
            "debaters": [{"model": f"debater-{one}-25-{kind}", **each} for one in "bc"],
            "judge": {"model": "judge-a-25", **each},
        }
        (folder / f"debate-{kind}.yaml").write_text(yaml.safe_dump(body))
        found[told] = f"debate:{folder / f'debate-{kind}.yaml'}"
    return found


def measured(correlation: float, pairs: Sequence[Pair]) -> dict[str, dict[str, object]]:
    """Every way of asking on the same pairs, and its difference from AGAINST."""
    groups = [pair.id for pair in pairs]
    found: dict[str, dict[str, object]] = {}
    scores: dict[str, list[ScoredPair]] = {}
    with server(correlation) as address, tempfile.TemporaryDirectory() as folder:
        for told, spec in written(Path(folder), address).items():
            scorer = open_scorer(spec)
            scores[told] = score_pairs(scorer, pairs)
            cost = judge_cost(scorer, scores[told], pairs)
            assert cost is not None
            found[told] = cost.model_dump() | {"accuracy": cost.right / len(pairs)}
    numbers = {told: {0: [one.numbers for one in several]} for told, several in scores.items()}
    for told in scores:
        apart = compared(numbers[told], numbers[AGAINST], pairs, groups, config=CompareConfig())
        one = apart.find("accuracy_difference")
        assert one is not None
        found[told] |= {"difference": one.value, "low": one.bounds.low, "high": one.bounds.high} if one.bounds else {}
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=400)
    options.add_argument("--correlations", default="0,0.4,0.75")
    asked = options.parse_args()
    correlations = [float(one) for one in asked.correlations.split(",")]
    found = {str(one): measured(one, pairs_of(asked.pairs)) for one in correlations}
    head = [f"errors correlated {one:g}: accuracy, difference; undecided, flipped" for one in correlations]
    print("| " + " | ".join(["way, 6 calls a comparison (simulated judges)", *head]) + " |")
    print("|---" * (len(head) + 1) + "|")
    for told in (*JURIES, *DEBATES):
        cells = []
        for several in found.values():
            one = several[told]
            assert one["calls"] == 6 * asked.pairs, one
            apart = f"{100 * one['difference']:+.1f} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"  # type: ignore[operator]
            undecided = f"{one['undecided'] / asked.pairs:.0%}"
            cells.append(
                f"{one['accuracy']:.1%}{'' if told == AGAINST else ', ' + apart}; {undecided}, {one['flips']:.0%}"
            )
        print("| " + " | ".join([told, *cells]) + " |")
    body = {"pairs": asked.pairs, "found": found, "versions": versions(("numpy", "scipy", "httpx2"))}
    RESULTS.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
