"""A scorer audited on labelled pairs: what stands apart, what is wrong, and that every way in gives the same audit."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from assay.artifacts.contract_body import ContractBody
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.audits import audit
from assay.cli.audit import summary
from assay.data import prompt_groups, read_pairs
from assay.data.native_rows import as_native
from assay.errors import EmptyBatchError, InputError
from assay.flows.audit import ScorerAuditConfig, audit_scorer, audit_scores, without_unscored
from assay.gate import decide_run
from assay.records import Pair, PairScore, Text
from assay.scorers.function import FunctionScorer
from assay.scorers.open import KINDS
from assay.scorers.protocol import Reward, Unscored
from assay.scorers.scored_pairs import ScoredPair, score_pairs
from assay.scorers.scores_file import pair_rows
from tests.support import tiny_bases as tiny

CONFIG = ScorerAuditConfig.build({"audit": {"resamples": 50}})
PAIRS = tiny.pairs(40)


def rule(_: Text, answers: Sequence[Text]) -> list[float | Unscored]:
    """Likes "good"; takes no answer with w7, and gives no number for one with w9."""
    found: list[float | Unscored] = []
    for answer in map(str, answers):
        words = answer.split()
        value = words.count("good") + len(words) / 100
        found.append(Unscored("it holds w7") if "w7" in words else math.nan if "w9" in words else value)
    return found


def holding(word: str, pairs: Sequence[Pair]) -> set[str]:
    return {pair.id for pair in pairs if word in f"{pair.chosen} {pair.rejected}".split()}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "pairs.jsonl", map(as_native, PAIRS))
    return tmp_path / "pairs.jsonl"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "scores.jsonl", pair_rows(FunctionScorer(rule), PAIRS))
    return tmp_path / "scores.jsonl"


def test_unread_stands_apart_and_no_number_is_wrong(data: Path, recorded: Path, tmp_path: Path) -> None:
    found = audit_scorer(recorded, str(data), tmp_path / "out", config=CONFIG)
    unread, broken = holding("w7", PAIRS), holding("w9", PAIRS) - holding("w7", PAIRS)
    assert len(unread) > 2
    assert len(broken) > 2  # or the seed of the pairs has changed, and this tests nothing
    assert set(found.left_out) == unread
    assert set(found.left_out.values()) == {"it holds w7"}
    rows = {row["pair_id"]: row["why"] for row in read_jsonl(tmp_path / "out" / "left_out.jsonl")}
    assert rows == found.left_out
    assert (found.rows, found.rejects, found.audit.pairs) == (40, 0, 40 - len(unread))
    accuracy, degenerate = found.audit.find("accuracy"), found.audit.find("degenerate")
    assert accuracy is not None
    assert accuracy.value == pytest.approx(1 - len(broken) / (40 - len(unread)))
    assert accuracy.detail["not_finite"] == len(broken)
    assert degenerate is not None
    assert "non_finite" in degenerate.detail["problems"]


def test_every_way_in_gives_the_same_findings(data: Path, recorded: Path, tmp_path: Path, monkeypatch) -> None:
    """The rule itself, its recorded scores, scores in memory, and the rule as a kind of scorer on the command line."""
    monkeypatch.setitem(KINDS, "rule", lambda _: FunctionScorer(rule, fingerprint="rule/1"))  # type: ignore[misc]
    by_file = audit_scorer(recorded, str(data), tmp_path / "a", config=CONFIG).audit
    by_kind = audit_scorer("rule:", str(data), tmp_path / "b", config=CONFIG).audit
    assert by_file.findings == by_kind.findings
    assert by_kind.inputs == {"data": str(data), "scorer 0": "rule/1"}
    groups = prompt_groups(PAIRS, threshold=CONFIG.data.near_duplicates, seed=CONFIG.data.seed)
    for given in (rule, FunctionScorer(rule), score_pairs(FunctionScorer(rule), PAIRS), recorded, {0: rule}):
        with pytest.warns(UserWarning, match=r"audit: left out: \d+ of 40 pairs have an answer without a reward"):
            found = audit_scores(given, PAIRS, groups=groups, config=CONFIG.audit)
        assert found.findings == by_file.findings


def test_several_seeds_leave_out_what_one_of_them_cannot_take() -> None:
    def given(chosen: float, *unread: str) -> list[ScoredPair]:
        none = Unscored("too long")
        return [
            ScoredPair(pair_id=name, chosen=none if name in unread else Reward(chosen), rejected=Reward(0.0))
            for name in "abcd"
        ]

    pairs = [Pair(id=name, prompt=name, chosen="x", rejected="y") for name in "abcd"]
    kept = without_unscored({0: given(1.0, "b"), 1: given(2.0, "d")}, pairs, ["A", "B", "C", "D"])
    assert kept.left_out == {"b": "too long", "d": "too long"}
    assert [pair.id for pair in kept.pairs] == ["a", "c"]
    assert kept.groups == ["A", "C"]
    assert kept.scores[1] == [PairScore(pair_id=name, chosen=2.0, rejected=0.0) for name in "ac"]
    by_seed = {0: given(1.0), 1: given(-1.0)}
    found = audit_scores(by_seed, pairs).find("accuracy")
    assert found is not None
    assert (found.value, found.detail["per_seed"]) == (0.5, {"0": 1.0, "1": 0.0})


def test_numbers_given_go_to_the_audit_as_they_are() -> None:
    scores = [PairScore(pair_id=p.id, chosen=math.inf if n else math.nan, rejected=0.0) for n, p in enumerate(PAIRS)]
    assert audit_scores(scores, PAIRS).findings == audit(scores, PAIRS).findings
    with pytest.raises(InputError, match="no score for 1 of 40 pairs"):
        audit_scores(scores[1:], PAIRS)


def test_groups_are_those_of_reading(tmp_path: Path) -> None:
    """Near-duplicate prompts count as one group, found once: intervals are those of groups computed afresh."""
    words = [f"please tell me how to return item number {n // 4} to the shop" for n in range(40)]
    rows = [as_native(pair) | {"prompt": f"{words[n]} {n % 2}"} for n, pair in enumerate(PAIRS)]
    write_jsonl(tmp_path / "pairs.jsonl", rows)
    found = audit_scorer("baseline:longest", str(tmp_path / "pairs.jsonl"), tmp_path / "out", config=CONFIG).audit
    pairs = read_pairs(tmp_path / "pairs.jsonl").pairs
    groups = prompt_groups(pairs, threshold=CONFIG.data.near_duplicates, seed=CONFIG.data.seed)
    assert len(set(groups)) < 20
    scores = [one.numbers for one in score_pairs(KINDS["baseline"]("longest"), pairs)]
    assert found.findings == audit(scores, pairs, groups=groups, config=CONFIG.audit).findings


def test_nothing_left_to_audit(data: Path, recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text('{"prompt": "p", "chosen": "a", "rejected": "a"}\n')
    with pytest.raises(EmptyBatchError, match="no pair to audit among 1 rows"):
        audit_scorer("baseline:longest", str(tmp_path / "none.jsonl"), tmp_path / "out", config=CONFIG)
    pairs = [Pair(id="x", prompt="p", chosen="w7", rejected="w1")]
    with pytest.raises(EmptyBatchError, match=r"1 of 1 pairs have an answer without a reward. The first, x: it holds"):
        audit_scores(rule, pairs)
    write_jsonl(tmp_path / "one.jsonl", map(as_native, pairs))
    with pytest.raises(InputError, match=r"scores\.jsonl has no score for 1 of 1 asked for"):
        audit_scorer(recorded, str(tmp_path / "one.jsonl"), tmp_path / "out", config=CONFIG)
    with pytest.raises(InputError, match="no scorer of kind"):  # before the data, which are not there, are looked for
        audit_scorer("oracle:x", str(tmp_path / "nowhere"), tmp_path / "out", config=CONFIG)
    assert not (tmp_path / "out").exists()


def test_what_is_written_can_be_read(data: Path, tmp_path: Path) -> None:
    audit_scorer("baseline:random", str(data), tmp_path / "out", config=CONFIG)
    body = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert body["inputs"] == {"data": str(data), "scorer 0": "baseline:random"}
    assert list(read_jsonl(tmp_path / "out" / "left_out.jsonl")) == []


def test_what_is_left_of_the_data_stands_in_the_first_lines_and_beside_the_audit(data: Path, tmp_path: Path) -> None:
    """Forty pairs, ten ties of one more category, and pairs the rule takes no answer of; the gate reads the same."""
    ties = [
        {"prompt": f"t{n}", "chosen": "w1", "rejected": "w2", "category": "even", "votes": ["tie", "tie"]}
        for n in range(10)
    ]
    write_jsonl(tmp_path / "more.jsonl", [*map(as_native, PAIRS), *ties])
    write_jsonl(tmp_path / "scores.jsonl", pair_rows(FunctionScorer(rule), PAIRS))
    out = tmp_path / "out"
    found = audit_scorer(tmp_path / "scores.jsonl", str(tmp_path / "more.jsonl"), out, config=CONFIG)
    unread = holding("w7", PAIRS)
    lines = summary(found, out).splitlines()
    assert "Rests on 80.0% of the rows: 40 of 50 became pairs that could be used, 10 did not (10 tie)." in lines[1]
    assert "In the data and not measured: even (10 rows, 0 pairs left)." in " ".join(lines[:5])
    left = next(line for line in lines[:6] if "left out" in line)
    assert f"{len(unread)} pairs left out, not counted as wrong" in left
    assert "it holds w7" in left
    body = ContractBody.read(out / "contract.json")
    assert (body.rows, body.by_category["even"].reasons) == (50, {"tie": 10})
    assert len(list(read_jsonl(out / "rejects.jsonl"))) == 10
    by = {line.text: line for line in decide_run(out).criteria}
    assert "even is in the data and not measured: none of its 10 rows became a pair (10 tie)" in (
        by["every category > 0.65"].reason
    )
    assert "give --criteria without “no prompt overlap”" in by["no prompt overlap"].reason


def test_the_terminal_names_the_length_rule_people_follow(tmp_path: Path) -> None:
    pairs = [Pair(id=f"p{n}", prompt=f"q{n}", chosen="w" * (n % 4 == 0) * 9 + "a", rejected="bbbb") for n in range(40)]
    write_jsonl(tmp_path / "pairs.jsonl", map(as_native, pairs))
    found = audit_scorer("baseline:longest", str(tmp_path / "pairs.jsonl"), tmp_path / "out", config=CONFIG)
    text = summary(found, tmp_path)
    assert "people preferred the shorter answer on 75.0% of the pairs: “shortest wins” is the rule to beat" in text
    assert "accuracy beyond shortest" in text


def test_the_folder_of_a_run_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match="Give another --out"):
        audit_scorer("baseline:longest", str(data), tmp_path, config=CONFIG)
