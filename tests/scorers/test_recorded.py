"""Score files: written and read back, as a scorer, and refused by line."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest

from assay.artifacts.files import sha256_file, write_jsonl
from assay.errors import InputError
from assay.records import Candidates, Pair
from assay.scorers.function import FunctionScorer
from assay.scorers.protocol import Reward, Scored, Unscored, scored
from assay.scorers.recorded import RecordedScorer, read_recorded, read_scored_pairs
from assay.scorers.scored_pairs import ScoredPair, score_pairs
from assay.scorers.scores_file import pair_row, pair_rows, prompt_rows

NOT_A_NUMBER = scored(math.nan)
LONG = Unscored("900 tokens with its prompt; the model reads 512")


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def scored_pair(chosen: Scored, rejected: Scored) -> ScoredPair:
    return ScoredPair(pair_id="p", chosen=chosen, rejected=rejected)


@pytest.mark.parametrize(
    ("pair", "row"),
    [
        (scored_pair(Reward(1.5), Reward(-2.0)), {"chosen": 1.5, "rejected": -2.0}),
        (scored_pair(LONG, Reward(-2.0)), {"chosen": None, "rejected": -2.0, "reason": LONG.reason}),
        (scored_pair(LONG, LONG), {"chosen": None, "rejected": None, "reason": LONG.reason}),
        (
            scored_pair(Reward(1.0), NOT_A_NUMBER),
            {"chosen": 1.0, "rejected": None, "reason": "the reward is not finite: nan"},
        ),
        (
            scored_pair(Reward(1.0, heads={"safe": 0.25}), Reward(0.0)),
            {"chosen": 1.0, "rejected": 0.0, "heads": {"chosen": {"safe": 0.25}}},
        ),
    ],
)
def test_a_pair_is_written_and_comes_back(pair: ScoredPair, row: dict[str, object], tmp_path: Path) -> None:
    write_jsonl(tmp_path / "s.jsonl", [pair_row(pair)])
    assert lines(tmp_path / "s.jsonl") == [{"pair_id": "p", **row}]
    assert read_scored_pairs(tmp_path / "s.jsonl") == [pair]


def test_of_two_reasons_the_one_that_sets_the_pair_apart_is_kept(tmp_path: Path) -> None:
    """So that the audit of the file is the audit of the model."""
    pair = scored_pair(NOT_A_NUMBER, LONG)
    write_jsonl(tmp_path / "s.jsonl", [pair_row(pair)])
    (found,) = read_scored_pairs(tmp_path / "s.jsonl")
    assert found.unread == pair.unread == LONG.reason


def test_candidates_are_written_and_come_back(tmp_path: Path) -> None:
    given: dict[str, list[Scored]] = {
        "a": [Reward(1.0), LONG, NOT_A_NUMBER],
        "b": [Reward(0.5, heads={"safe": 1.0, "helpful": 0.0}), Reward(2.0)],
        "c": [Reward(3.0)],
    }
    groups = [Candidates(id=name, prompt=name, answers=tuple("xyz")[: len(given[name])]) for name in given]
    scorer = FunctionScorer(lambda prompt, _: given[str(prompt)])
    write_jsonl(tmp_path / "s.jsonl", prompt_rows(scorer, groups))
    assert lines(tmp_path / "s.jsonl") == [
        {"id": "a", "scores": [1.0, None, None], "reasons": [None, LONG.reason, "the reward is not finite: nan"]},
        {"id": "b", "scores": [0.5, 2.0], "heads": [{"safe": 1.0, "helpful": 0.0}, None]},
        {"id": "c", "scores": [3.0]},
    ]
    assert RecordedScorer(tmp_path / "s.jsonl").score(groups) == [tuple(results) for results in given.values()]


@pytest.mark.parametrize("packed", [False, True])
def test_recorded_pairs_are_a_scorer(packed: bool, tmp_path: Path) -> None:
    """Each pair keeps its own two numbers, also where the same answer got others in another pair (as judges do)."""
    rows = [
        {"pair_id": "1", "chosen": 2, "rejected": 1.0},
        {"pair_id": "2", "chosen": None, "rejected": 7.5},
        {"pair_id": "3", "chosen": None, "rejected": 0, "reason": "too long"},
        {"pair_id": "unasked", "chosen": 0.0, "rejected": 0.0},
    ]
    text = "".join(json.dumps(row) + "\n\n" for row in rows).encode()
    path = tmp_path / ("s.jsonl.gz" if packed else "s.jsonl")
    path.write_bytes(gzip.compress(text) if packed else text)
    pairs = [Pair(id=str(n), prompt="p", chosen="a", rejected="b") for n in (3, 1, 2)]
    scorer = RecordedScorer(path)
    three, one, two = score_pairs(scorer, pairs)
    assert (one.chosen, one.rejected) == (Reward(2.0), Reward(1.0))
    assert (two.chosen, two.rejected) == (NOT_A_NUMBER, Reward(7.5))  # null alone: the reward was not finite
    assert (three.chosen, three.unread) == (Unscored("too long"), "too long")
    assert (scorer.name, scorer.fingerprint) == (str(path), sha256_file(path))


def test_what_a_rule_gave_and_what_its_file_gives_is_the_same(tmp_path: Path) -> None:
    rule = FunctionScorer(lambda _, answers: [LONG if answer == "long" else len(str(answer)) / 7 for answer in answers])
    pairs = [Pair(id=str(n), prompt=f"p{n % 2}", chosen="x" * n, rejected="long") for n in range(1, 5)]
    write_jsonl(tmp_path / "s.jsonl", pair_rows(rule, pairs))
    assert score_pairs(RecordedScorer(tmp_path / "s.jsonl"), pairs) == score_pairs(rule, pairs)


def test_scores_of_other_data_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    write_jsonl(path, [{"pair_id": "1", "chosen": 1, "rejected": 0}, {"id": "2", "scores": [1.0]}])
    groups = [Candidates(id=name, prompt="p", answers=("a", "b")) for name in ("1", "7", "8", "2")]
    with pytest.raises(InputError, match=r"s\.jsonl has no score for 2 of 4 asked for, the first is '7'"):
        RecordedScorer(path).score(groups)
    with pytest.raises(InputError, match=r"has 1 scores for '2', which has 2 answers"):
        RecordedScorer(path).score(groups[-1:])
    write_jsonl(path, [{"pair_id": "1", "chosen": 1, "rejected": 0}] * 2)
    with pytest.raises(InputError, match=r"s\.jsonl: '1' is scored twice"):
        RecordedScorer(path).score(groups[:1])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "not a JSON object"),
        ("[1]", "holds a list"),
        ("{}", "no row of scores; expected pair_id, chosen and rejected or id and scores"),
        ('{"pair_id": "1"}', "no row of scores"),
        ('{"pair_id": "1", "chosen": "1", "rejected": 0}', "no row of scores"),
        ('{"pair_id": "1", "chosen": true, "rejected": 0}', "no row of scores"),
        ('{"pair_id": "1", "chosen": 1, "rejected": 0, "heads": {"chosen": {"a": "x"}}}', "no row of scores"),
        ('{"id": "1", "scores": 3}', "no row of scores"),
        ('{"id": "1", "scores": [3], "reasons": [null, "x"]}', "no row of scores"),
        ('{"scores": [3]}', "no row of scores"),
    ],
)
def test_what_is_no_row_of_scores_is_named_by_line(row: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"pair_id": "0", "chosen": 1, "rejected": 0}\n' + row + "\n")
    with pytest.raises(InputError, match=rf"s\.jsonl:2: .*{message}"):
        list(read_recorded(path))


def test_the_unit_asked_for_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    write_jsonl(path, [{"pair_id": "1", "chosen": 1, "rejected": 0}])
    with pytest.raises(InputError, match=r"s\.jsonl:1: no row of scores; expected id and scores, as"):
        list(read_recorded(path, unit="prompt"))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_recorded(tmp_path / "none.jsonl"))
