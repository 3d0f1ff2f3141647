"""Best of n as a file: order, ties, what has no reward, what was never given, and going on after a kill."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import assay
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.cli.main import build
from assay.data.candidate_files import read_candidates
from assay.errors import InputError
from assay.flows import rerank as flow
from assay.records import Candidates
from assay.scorers import unfinished_rows
from assay.scorers.protocol import Scored, Unscored, scored

GROUPS = [
    {"id": "a", "prompt": "p", "answers": ["bb", "a", "dddd", "ccc"]},
    {"id": "b", "prompt": "q", "answers": ["aa", "b", "cc"]},
]


class Lengths:
    """Pays a point a letter; an answer with an x has no reward, one with a y a reward that is no number."""

    name, fingerprint = "lengths", "lengths/1"

    def __init__(self, *, dies_at: str = "nowhere") -> None:
        self.dies_at, self.asked = dies_at, 0

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        self.asked += len(groups)
        return [tuple(self._one(group.id, str(answer)) for answer in group.answers) for group in groups]

    def _one(self, name: str, answer: str) -> Scored:
        if name == self.dies_at:
            raise RuntimeError("killed")
        if "x" in answer:
            return Unscored("it has an x")
        return scored(float("nan") if "y" in answer else float(len(answer)))


def written(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    write_jsonl(path, rows)
    return path


def test_answers_stand_by_falling_reward_and_ties_share_a_rank(tmp_path: Path) -> None:
    done = assay.rerank(Lengths(), written(tmp_path / "c.jsonl", GROUPS), tmp_path / "out.jsonl")
    first, second = read_jsonl(tmp_path / "out.jsonl")
    assert first == {
        "id": "a", "prompt": "p", "answers": ["dddd", "ccc", "bb", "a"], "scores": [4.0, 3.0, 2.0, 1.0],
        "ranks": [1, 2, 3, 4], "places": [2, 3, 0, 1],
    }  # fmt: skip
    assert second == {
        "id": "b", "prompt": "q", "answers": ["aa", "cc", "b"], "scores": [2.0, 2.0, 1.0], "ranks": [1, 1, 3],
        "places": [0, 2, 1], "tied": 2,
    }  # fmt: skip
    assert (done.prompts, done.answers, done.tied, done.unscored, done.alone) == (2, 7, 1, 0, 0)


def test_what_has_no_reward_stands_last_with_the_reason(tmp_path: Path) -> None:
    rows = [{"id": "a", "prompt": "p", "answers": ["x", "a", "yy", "bb"]}, {"id": "b", "prompt": "q", "answers": ["x"]}]
    done = assay.rerank(Lengths(), written(tmp_path / "c.jsonl", rows), tmp_path / "out.jsonl")
    first, second = read_jsonl(tmp_path / "out.jsonl")
    assert first["answers"] == ["bb", "a", "x", "yy"]
    assert first["scores"] == [2.0, 1.0, None, None]
    assert first["ranks"] == [1, 2, None, None]
    assert first["reasons"] == [None, None, "it has an x", "the reward is not finite: nan"]
    assert (second["answers"], second["ranks"]) == (["x"], [None])
    assert (done.unscored, done.not_finite, done.alone, done.first_reason) == (3, 1, 1, "it has an x")


def test_the_k_best_and_what_was_left_out(tmp_path: Path) -> None:
    source, out = written(tmp_path / "c.jsonl", GROUPS), tmp_path / "out.jsonl"
    assay.rerank(Lengths(), source, out, top=1)
    first, second = read_jsonl(out)
    assert (first["answers"], first["left_out"], "cut_in_tie" in first) == (["dddd"], 3, False)
    assert (second["answers"], second["left_out"], second["tied"], second["cut_in_tie"]) == (["aa"], 2, 2, True)
    assay.rerank(Lengths(), source, out, top=9)
    assert ["left_out" in row for row in read_jsonl(out)] == [False, False]
    with pytest.raises(InputError, match="the best 0"):
        assay.rerank(Lengths(), source, out, top=0)


def test_answers_of_a_policy_keep_their_numbers(tmp_path: Path) -> None:
    made = {"policy": "m", "fingerprint": "f", "template": {"reason": "t"}, "sampling": {"reason": "s"}}
    rows = [
        {"id": "a", "prompt": "p", "category": "tone", "system": "m", "number": number, "answer": answer, "made": made,
         **({} if answer else {"reason": "the server gave up"})}
        for number, answer in enumerate(["a", None, "ccc", "bb"])
    ]  # fmt: skip
    done = assay.rerank(Lengths(), written(tmp_path / "answers.jsonl", rows), tmp_path / "out.jsonl")
    (row,) = read_jsonl(tmp_path / "out.jsonl")
    assert (row["answers"], row["places"], row["category"]) == (["ccc", "bb", "a"], [2, 3, 0], "tone")
    assert row["missing"] == [{"number": 1, "reason": "the server gave up"}]
    assert (done.answers, done.missing) == (3, 1)


def test_what_was_written_is_candidates_again(tmp_path: Path) -> None:
    assay.rerank(Lengths(), written(tmp_path / "c.jsonl", GROUPS), tmp_path / "out.jsonl")
    again = list(read_candidates(tmp_path / "out.jsonl", known="read"))
    assert [group.answers for group in again] == [("dddd", "ccc", "bb", "a"), ("aa", "cc", "b")]
    assert [group.ranks for group in again] == [(1, 2, 3, 4), (1, 1, 3)]
    assert len(assay.read_pairs(str(tmp_path / "out.jsonl")).pairs) > 0


def test_labelled_data_with_groups(tmp_path: Path) -> None:
    rows = [{"prompt": f"p{n}", "answers": ["a", "bbb", "cc"], "ranks": [1, 2, 3]} for n in range(3)]
    assay.rerank("baseline:longest", written(tmp_path / "c.jsonl", rows), tmp_path / "out.jsonl")
    assert [row["answers"] for row in read_jsonl(tmp_path / "out.jsonl")] == [["bbb", "cc", "a"]] * 3


def test_killed_it_goes_on_and_asks_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": str(number), "prompt": "p", "answers": ["a", "bb" * (number + 1)]} for number in range(6)]
    source, out = written(tmp_path / "c.jsonl", rows), tmp_path / "out.jsonl"
    assay.rerank(Lengths(), source, tmp_path / "whole.jsonl")
    small = unfinished_rows.unfinished_rows
    monkeypatch.setattr(flow, "unfinished_rows", lambda *told: small(*told, batch=4))  # two groups between two writes
    with pytest.raises(RuntimeError, match="killed"):
        assay.rerank(Lengths(dies_at="4"), source, out)
    assert not out.exists()
    again = Lengths()
    assay.rerank(again, source, out)
    assert again.asked == 2
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.jsonl", "out.jsonl", "whole.jsonl"]


def test_nothing_to_pick_from(tmp_path: Path) -> None:
    source = written(tmp_path / "c.jsonl", [{"prompt": "p", "answers": ["a"]}])
    with pytest.raises(InputError, match="no prompt has two answers"):
        assay.rerank(Lengths(), source, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def command(*words: object) -> Any:
    return CliRunner().invoke(build(), ["rerank", *map(str, words)])


def test_the_command_says_whose_reward_it_was(tmp_path: Path) -> None:
    source = written(tmp_path / "c.jsonl", GROUPS)
    done = command("baseline:longest", source, "--out", tmp_path / "out.jsonl", "--top", 2)
    assert done.exit_code == 0, done.output
    assert "7 answers to 2 prompts, best first" in done.stdout
    assert "1 prompts have several best" in done.stdout
    assert "no gate has decided on it" in done.stdout
    body = json.loads(command("baseline:longest", source, "--out", tmp_path / "out.jsonl", "--json").stdout)
    assert (body["prompts"], body["tied"], body["gate"]) == (2, 1, "unknown")
