"""The contract: votes to verdicts by hand arithmetic, reasons, and what goes to review."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.artifacts.contract_body import CategoryCounts
from assay.data import PairSet, check, read_pairs
from assay.data.config import DataConfig
from assay.records import REJECT_REASONS, REVIEW_REASONS, RejectReason


def read(*rows: dict[str, Any], **config: Any) -> PairSet:
    return read_pairs(list(rows), config=DataConfig(**config))


def voted(votes: str, **more: Any) -> dict[str, Any]:
    """a = left, b = right, t = tie, - = abstain."""
    words = {"a": "a", "b": "b", "t": "tie", "-": "abstain"}
    return {"prompt": "Q", "response_a": "x", "response_b": "y", "votes": [words[v] for v in votes], **more}


@pytest.mark.parametrize(
    ("votes", "outcome"),
    [
        ("aab", "x"),  # 2/3 = 0.67 >= 0.6
        ("bbb", "y"),
        ("aaabb", "x"),  # 3/5 = 0.60, just enough
        ("aat", "x"),  # 2/3: a tie vote counts against
        ("aa-----", "x"),  # abstentions do not count
        ("aabt", "low_agreement"),  # 2/4 = 0.50
        ("aaaabbb", "low_agreement"),  # 4/7 = 0.57
        ("ab", "tie"),
        ("att", "tie"),  # ties have most
        ("tt", "tie"),
        ("---", "abstention"),
    ],
)
def test_votes_by_hand(votes: str, outcome: str) -> None:
    found = read(voted(votes))
    assert (found.pairs[0].chosen if found.pairs else found.rejects[0].reason) == outcome


def test_min_agreement_is_read() -> None:
    assert read(voted("aab"), min_agreement=0.7).rejects[0].reason == "low_agreement"
    assert read(voted("aaaabbb"), min_agreement=0.5).pairs[0].chosen == "x"


def test_a_stated_label_is_held_against_its_votes() -> None:
    stated = {"prompt": "Q", "chosen": "x", "rejected": "y"}
    assert read({**stated, "votes": ["chosen", "rejected", "rejected"]}).rejects[0].reason == "low_agreement"
    assert read({**stated, "votes": ["abstain"]}).pairs[0].chosen == "x"
    assert read(voted("aab", label="b")).rejects[0].reason == "low_agreement"


@given(votes=st.text("abt-", min_size=1, max_size=9))
def test_turning_the_answers_turns_the_verdict(votes: str) -> None:
    turned = votes.translate(str.maketrans("ab", "ba"))
    first, second = read(voted(votes)), read(voted(turned))
    if first.pairs:
        assert (first.pairs[0].chosen, first.pairs[0].rejected) == (second.pairs[0].rejected, second.pairs[0].chosen)
        assert [v.choice for v in first.pairs[0].votes] == [v.choice for v in second.pairs[0].votes]
    else:
        assert first.rejects[0].reason == second.rejects[0].reason


@given(votes=st.permutations("aaabbt-"))
def test_the_order_of_votes_does_not_matter(votes: list[str]) -> None:
    assert read(voted("".join(votes))).rejects[0].reason == "low_agreement"  # 3 of 6


def test_agreement_by_hand() -> None:
    rows = [voted("aaa"), voted("aab"), voted("a-"), voted("bt"), {**voted(""), "label": "a", "votes": None}]
    agreement = read(*({**row, "prompt": f"Q{i}"} for i, row in enumerate(rows))).report.agreement
    assert (agreement.rows_with_votes, agreement.votes, agreement.abstentions) == (4, 10, 1)
    assert agreement.rows_with_several_votes == 3
    assert agreement.mean_majority_share == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert agreement.unanimous_share == pytest.approx(1 / 3)


def test_position_bias_is_counted_by_hand() -> None:
    votes = [{"choice": "a", "shown_left": "a"}, {"choice": "a", "shown_left": "b"}, {"choice": "a", "shown_left": "a"}]
    agreement = read({**voted(""), "votes": votes}).report.agreement
    assert (agreement.votes_with_position, agreement.picked_left_share) == (3, pytest.approx(2 / 3))


def test_no_votes_is_no_agreement() -> None:
    assert read({"prompt": "Q", "chosen": "x", "rejected": "y"}).report.agreement is None


def test_all_reasons_are_in_the_report_and_explained() -> None:
    report = read({"prompt": "Q", "chosen": "x", "rejected": "y"}).report
    assert tuple(report.rejects) == REJECT_REASONS == get_args(RejectReason)
    told = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    assert [reason for reason in REJECT_REASONS if f"| `{reason}` |" not in told] == []
    assert len(REJECT_REASONS) == 14
    assert {"too_long", "template_not_prefix"} <= set(report.rejects)


def test_review_rows_can_be_adjudicated_and_read_again(tmp_path: Path) -> None:
    rows = [voted("ab", id="t1", category="tone"), voted("aab", id="ok"), voted("---", prompt="R", id="t2")]
    path = tmp_path / "votes.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    report = check(path, tmp_path / "out")
    assert report.report.for_review == 2
    review = [orjson.loads(line) for line in (tmp_path / "out" / "review.jsonl").read_bytes().splitlines()]
    assert [(row["id"], row["review"]["reason"]) for row in review] == [("t1", "tie"), ("t2", "abstention")]
    assert review[0]["review"]["where"] == {"source": str(path), "line": 1}
    decided = read({**review[0], "votes": ["chosen", "chosen", "rejected"]})
    assert (decided.pairs[0].chosen, decided.pairs[0].category) == ("x", "tone")


def test_review_holds_exactly_the_reasons_for_review(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        voted("ab"),
        voted("aabt", prompt="R"),
        voted("-", prompt="S"),
        voted("a", prompt=""),
        voted("a", prompt="T"),
        voted("b", prompt="T"),
    ]
    check(rows, tmp_path)
    reasons = {orjson.loads(line)["review"]["reason"] for line in (tmp_path / "review.jsonl").read_bytes().splitlines()}
    assert reasons == REVIEW_REASONS


def test_rejects_are_counted_in_their_category() -> None:
    found = read({"prompt": "Q", "chosen": "x", "rejected": "y", "category": "b"}, {"prompt": "Q", "category": "a"})
    assert found.report.by_category == {
        "a": CategoryCounts(kept=0, rejected=1, reasons={"missing_field": 1}),
        "b": CategoryCounts(kept=1, rejected=0),
    }


def test_ids_are_made_from_the_texts_and_are_unique() -> None:
    rows = [{"prompt": f"Q{n}", "chosen": "x", "rejected": "y"} for n in range(3)]
    named = [{**row, "id": "same"} for row in rows]
    made, forced = read(*rows), read(*named)
    assert len({pair.id for pair in made.pairs}) == len({pair.id for pair in forced.pairs}) == 3
    assert [p.id for p in read(*rows[::-1]).pairs] == [p.id for p in made.pairs][::-1]
    assert {p.id for p in read(*named[::-1]).pairs} == {p.id for p in forced.pairs}
    assert forced.report.repeated_ids == 2


def test_texts_of_one_shape_stay_texts_and_mixed_ones_become_messages() -> None:
    pair = read({"prompt": "Q", "chosen": [{"role": "assistant", "content": "x"}], "rejected": "y"}).pairs[0]
    assert [text[0].role for text in (pair.prompt, pair.chosen, pair.rejected)] == ["user", "assistant", "assistant"]  # type: ignore[union-attr]


def test_a_source_that_cannot_be_written_again_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(400):
        deep = {"a": deep}
    assert read({"prompt": "Q", "chosen": "x", "rejected": "y", "source": deep}).rejects[0].reason == "not_text"


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Q", "response_a": "x", "response_b": "y", "label": "tie"},
        {"prompt": "Q", "response_a": "x", "response_b": "y", "label": "abstain"},
        voted("ab"),
        voted("tt"),
        voted("---"),
        voted("aabt"),
        voted("bbbaat"),
        voted("aab", label="b"),
        voted("abb", label="a"),
        voted("aab", label="tie"),
    ],
)
def test_review_read_again_gives_what_it_was(row: dict[str, Any], tmp_path: Path) -> None:
    before = check([row], tmp_path / "once").report
    again = check(tmp_path / "once" / "review.jsonl", tmp_path / "again").report
    assert (again.kept, again.rejects) == (0, before.rejects)
    first, second = (orjson.loads((tmp_path / name / "review.jsonl").read_bytes()) for name in ("once", "again"))
    assert {key: value for key, value in second.items() if key not in ("review", "id")} == {
        key: value for key, value in first.items() if key not in ("review", "id")
    }
