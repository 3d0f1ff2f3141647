"""A bench that was killed goes on where it stopped, asks nothing twice that it had, and ends with the same figures."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

import assay
from assay.flows.bench import BENCH, PAGE, SCORES, UNFINISHED
from assay.records import Candidates, Text
from assay.scorers.function import FunctionScorer
from assay.scorers.protocol import Reward
from assay.scorers.unfinished_rows import unfinished_rows
from tests.suites.made_suites import judged

RULE = """
import pathlib, time
def grade(answer):
    with (pathlib.Path(__file__).parent / "asked.txt").open("a") as log:
        log.write(answer + "\\n")
    time.sleep(0.002)
    return (sum(map(ord, answer)) * 7919) % 101 / 101
"""


def suite(folder: Path) -> Path:
    data = folder / "rows.jsonl"
    rows = [judged(n, "A>B" if n % 3 else "B>A") for n in range(700)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return data


def command(folder: Path, out: Path) -> list[str]:
    assay_command = Path(sys.executable).parent / "assay"
    scorer = f"verifier:python:{folder / 'rule.py'}:grade"
    return [str(assay_command), "bench", scorer, "judgebench", "--data", str(folder / "rows.jsonl"), "--out", str(out)]


def figures(out: Path) -> dict[str, object]:
    body = json.loads((out / BENCH).read_text())
    return {name: body[name] for name in ("standings", "unscored", "inputs", "items")}


@pytest.mark.slow
@pytest.mark.parametrize("moments", [1, 2])
def test_killed_with_sigkill_it_goes_on_and_the_figures_are_the_same(tmp_path: Path, moments: int) -> None:
    suite(tmp_path)
    (tmp_path / "rule.py").write_text(RULE)
    whole = tmp_path / "whole"
    assert subprocess.run(command(tmp_path, whole), check=False, capture_output=True).returncode == 0
    asked = tmp_path / "asked.txt"
    assert len(asked.read_text().splitlines()) == 1400
    asked.unlink()
    out = tmp_path / "out"
    for batches in range(1, moments + 1):
        with subprocess.Popen(command(tmp_path, out), stdout=subprocess.DEVNULL) as process:
            end = time.monotonic() + 60
            while not ((out / UNFINISHED).exists() and (out / UNFINISHED).read_bytes().count(b"\n") >= batches):
                assert process.poll() is None, "it ended before it could be killed"
                assert time.monotonic() < end
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not (out / BENCH).exists()
    had = {
        answer
        for line in (out / UNFINISHED).read_text().splitlines()
        for row in orjson.loads(line)["rows"]
        for answer in (f"A{row['id'][1:]}", f"B{row['id'][1:]}")
    }
    before = len(asked.read_text().splitlines())
    assert subprocess.run(command(tmp_path, out), check=False, capture_output=True).returncode == 0
    later = asked.read_text().splitlines()[before:]
    assert had
    assert not had & set(later), "what was had was asked for again"
    assert len(later) == 1400 - len(had)
    assert figures(out) == figures(whole)
    assert (out / SCORES).read_bytes() == (whole / SCORES).read_bytes()
    assert not (out / UNFINISHED).exists()


def groups(count: int) -> list[Candidates]:
    return [Candidates(id=str(n), prompt=f"q{n}", answers=(f"a{n}", f"b{n}")) for n in range(count)]


class Counting(FunctionScorer):
    """Counts the answers it is asked about; fails at the one called `stop`."""

    def __init__(self, fingerprint: str = "counting/1") -> None:
        super().__init__(self.rewards, fingerprint=fingerprint)
        self.asked: Counter[Text] = Counter()
        self.stop: str | None = None

    def rewards(self, _prompt: Text, answers: object) -> list[float]:
        assert isinstance(answers, tuple)
        if self.stop in answers:
            raise KeyboardInterrupt
        self.asked.update(answers)
        return [float(len(str(answer))) for answer in answers]


def test_a_torn_line_another_scorer_and_other_answers_are_asked_for(tmp_path: Path) -> None:
    path, scorer = tmp_path / "unfinished.jsonl", Counting()
    scorer.stop = "a25"
    with pytest.raises(KeyboardInterrupt):
        list(unfinished_rows(scorer, groups(30), path, batch=20))
    scorer.stop = None
    assert path.read_bytes().count(b"\n") == 2  # ten groups each
    with path.open("ab") as stream:
        stream.write(b'{"key": "torn')
    scorer.asked.clear()
    rows = list(unfinished_rows(scorer, groups(30), path, batch=20))
    assert [row["id"] for row in rows] == [str(n) for n in range(30)]
    assert [row["scores"] for row in rows] == [[2.0 if n < 10 else 3.0] * 2 for n in range(30)]
    assert set(scorer.asked) == {f"{side}{n}" for side in "ab" for n in range(20, 30)}
    other = Counting("counting/2")
    list(unfinished_rows(other, groups(30), path, batch=20))
    assert other.asked.total() == 60
    changed = [*groups(29), Candidates(id="29", prompt="q29", answers=("a29", "another"))]
    scorer.asked.clear()
    list(unfinished_rows(scorer, changed, path, batch=20))
    assert scorer.asked.total() == 20  # the batch it stands in, no other


def test_a_scorer_with_a_cache_of_its_own_keeps_its_failures_to_itself(tmp_path: Path) -> None:
    scorer = Counting()
    scorer.keeps_replies = True  # type: ignore[attr-defined]
    list(unfinished_rows(scorer, groups(3), tmp_path / "unfinished.jsonl"))
    assert not (tmp_path / "unfinished.jsonl").exists()


def test_in_a_notebook(tmp_path: Path) -> None:
    data = suite(tmp_path)
    body = assay.bench(lambda _, answers: [Reward(float(len(str(a)))) for a in answers], "judgebench", data, tmp_path)
    assert body.items == 700
    assert {one.name for one in body.standings} >= {"overall"}
    assert {path.name for path in tmp_path.iterdir()} >= {BENCH, SCORES, PAGE}
    assert assay.bench("baseline:longest", "judgebench", [data], tmp_path / "b").scorer == "baseline:longest"
