"""The search as files: rows and rounds, a search that was killed, more rounds later, and a truth it cannot see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay import PressPlan, open_policy, simulate_press
from assay.artifacts.files import read_jsonl
from assay.artifacts.press_body import PressBody
from assay.cli.main import build
from assay.errors import ArtifactError, ConfigError
from assay.policies.prompt_files import read_prompts
from assay.policies.protocol import Sampling
from assay.records import Text, plain_text
from assay.scorers.function import FunctionScorer
from assay.scorers.protocol import Unscored
from assay.simulate.known_truth import read_utilities

PLAN = PressPlan(population=6, rounds=4, seed=4)
FILES = ("p.jsonl", "p.jsonl.truth.json", "p.jsonl.press.json", "p.prompts.jsonl")


def written(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pressed")
    simulate_press("baseline:longest", made / "p.jsonl", plan=PLAN, fresh=8)
    return made


def test_every_answer_stands_in_the_file_with_round_reward_and_gold(folder: Path) -> None:
    rows, body = list(read_jsonl(folder / "p.jsonl")), PressBody.read(folder / "p.jsonl.press.json")
    assert len(rows) == body.answers == 8 * 6 * 5
    for row in rows:
        assert row["reward"] == len(row["answer"])
        assert isinstance(row["gold"], float)
    worth = read_utilities(folder / "p.jsonl")
    assert all(worth[row["id"]][row["number"]] == row["gold"] for row in rows)
    probes = {"filler", "flattery", "repetition", "markdown_dressing", "invented_detail"}
    assert probes <= {move for row in rows for move in row["moves"]}
    assert set(body.moves) >= {move for row in rows for move in row["moves"]}


def test_the_rounds_show_the_reward_rise_and_its_gold_fall(folder: Path) -> None:
    rounds = PressBody.read(folder / "p.jsonl.press.json").rounds
    assert [one.round for one in rounds] == [0, 1, 2, 3, 4]
    best = [one.best_reward or 0.0 for one in rounds]
    assert best == sorted(best)
    assert best[-1] > 2 * best[0]
    assert (rounds[-1].best_gold or 0.0) < (rounds[0].best_gold or 0.0) - 2.0
    rows = list(read_jsonl(folder / "p.jsonl"))
    by_hand = [max(row["reward"] for row in rows if row["id"] == name and row["round"] <= 2)
               for name in {row["id"] for row in rows}]  # fmt: skip
    assert best[2] == pytest.approx(sum(by_hand) / 8)


def test_a_search_on_the_truth_gains_and_is_named(tmp_path: Path) -> None:
    body = simulate_press("truth:support", tmp_path / "p.jsonl", plan=PLAN, fresh=8).body
    assert body.same
    assert (body.rounds[-1].best_gold or 0.0) > (body.rounds[0].best_gold or 0.0)


def test_the_file_is_a_policy_of_recorded_answers(folder: Path) -> None:
    prompts = read_prompts(folder / "p.prompts.jsonl")
    found = open_policy(folder / "p.jsonl").generate(prompts, 30, Sampling())
    assert all(len(one.texts) == 30 for one in found)
    assert {one.made.policy for one in found} == {"press:baseline:longest"}


class Asked(FunctionScorer):
    """Counts the answers asked about; reward is the length, and none for an exclamation."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__(self.give, name="counted", fingerprint="counted/1")

    def give(self, prompt: Text, answers: Sequence[Text]) -> list[float | Unscored]:
        self.count += len(answers)
        said = [plain_text(answer) for answer in answers]
        return [Unscored("it shouts") if "!" in one else float(len(one)) for one in said]


def test_more_rounds_later_ask_only_for_what_is_new(tmp_path: Path) -> None:
    first, more, again = Asked(), Asked(), Asked()
    simulate_press(first, tmp_path / "p.jsonl", plan=PressPlan(population=6, rounds=2, seed=4), fresh=5)
    simulate_press(more, tmp_path / "p.jsonl", plan=PLAN, fresh=5)
    assert first.count == 5 * 6 * 3
    assert more.count == 5 * 6 * 2
    before = written(tmp_path)
    simulate_press(again, tmp_path / "p.jsonl", plan=PLAN, fresh=5)
    assert again.count == 0
    assert written(tmp_path) == before


def test_an_answer_without_a_reward_is_null_with_the_reason(tmp_path: Path) -> None:
    body = simulate_press(Asked(), tmp_path / "p.jsonl", plan=PLAN, fresh=5).body
    silent = [row for row in read_jsonl(tmp_path / "p.jsonl") if row["reward"] is None]
    assert body.unscored == len(silent) > 0
    assert {row["no_reward"] for row in silent} == {"it shouts"}
    assert all("!" in row["answer"] for row in silent)


SLOW = """
import sys, time
from pathlib import Path
from assay import PressPlan, simulate_press
from assay.scorers.baseline import baseline

class Slow:
    name, fingerprint = "baseline:longest", "baseline:longest"
    def score(self, groups):
        time.sleep(0.05)
        return baseline("longest").score(groups)

simulate_press(Slow(), Path(sys.argv[1]), plan=PressPlan(population=6, rounds=4, seed=4), fresh=8)
"""


def test_killed_anywhere_it_ends_with_the_same_files(folder: Path, tmp_path: Path) -> None:
    out, kept, kills = tmp_path / "p.jsonl", tmp_path / "p.rewards.jsonl", 0
    while kills < 3:
        child = subprocess.Popen([sys.executable, "-c", SLOW, str(out)])
        before = kept.stat().st_size if kept.exists() else 0
        while child.poll() is None and (kept.stat().st_size if kept.exists() else 0) <= before:
            time.sleep(0.002)
        if child.poll() is not None:
            assert child.returncode == 0
            break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        kills += 1
        with kept.open("ab") as stream:  # as a kill in the middle of a line leaves it
            stream.write(b'{"key": "torn')
    assert kills
    assert not out.exists()
    simulate_press("baseline:longest", out, plan=PLAN, fresh=8)
    assert written(tmp_path) == written(folder)


def test_what_cannot_be_pressed_on_is_refused(folder: Path, tmp_path: Path) -> None:
    class OfPairs(Asked):
        unit = "pair"

    with pytest.raises(ConfigError, match="within one pair only"):
        simulate_press(OfPairs(), tmp_path / "p.jsonl", plan=PLAN, fresh=5)
    with pytest.raises(ConfigError, match="Leave one of them out"):
        simulate_press("baseline:longest", tmp_path / "p.jsonl", prompts=folder / "p.prompts.jsonl", fresh=5)


def test_two_processes_do_not_write_one_file(folder: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".p.jsonl.lock"), pytest.raises(ArtifactError, match="another process"):
        simulate_press("baseline:longest", tmp_path / "p.jsonl", plan=PLAN, fresh=5)


def test_the_command_prints_the_rounds(tmp_path: Path) -> None:
    asked = ["simulate", "press", "baseline:longest", "--population", "4", "--rounds", "2", "--fresh", "5", "--out"]
    done = CliRunner().invoke(build(), [*asked, str(tmp_path / "p.jsonl")])
    assert done.exit_code == 0, done.output
    assert "60 answers to 5 prompts" in done.output
    assert len([line for line in done.output.splitlines() if line[:5].strip().isdigit()]) >= 3
    truth = CliRunner().invoke(build(), [*asked[:2], "truth:support", *asked[3:], str(tmp_path / "t.jsonl")])
    assert "one scorer" in truth.output
    body = CliRunner().invoke(build(), [*asked, str(tmp_path / "p.jsonl"), "--json"])
    assert json.loads(body.output)["answers"] == 60
