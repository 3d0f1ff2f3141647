"""What figures rest on, in the first lines: how much is left, what lost most, what is not measured, the way out."""

from __future__ import annotations

import pytest

from assay.artifacts.contract_body import TokenLimit
from assay.artifacts.rests_on_body import CategoryRests, RestsOn
from assay.report.lost_sentences import lost_sentences, rests_on_most


def part(name: str, rows: int, pairs: int, *, measured: int = 20, **lost: int) -> CategoryRests:
    return CategoryRests(name=name, rows=rows, pairs=pairs, held_out=measured, measured=measured, lost=lost)


def data(*parts: CategoryRests, limit: TokenLimit | None = None, **lost: int) -> RestsOn:
    rows, pairs = (sum(getattr(one, name) for one in parts) for name in ("rows", "pairs"))
    return RestsOn(rows=rows, pairs=pairs, lost=lost, categories=parts, token_limit=limit)


LIMIT = TokenLimit(asked=256, keeps_95_percent=512, most=512)
# 318 of 740 are left, which is 43.0%; code lost 130 of 150 (86.7%), math 280 of 290 (96.6%), tone 12 of 300 (4.0%).
HALF = data(
    part("code", 150, 20, too_long=130),
    part("math", 290, 10, too_long=280),
    part("tone", 300, 288, too_long=12),
    limit=LIMIT,
    too_long=422,
)


def test_a_report_on_a_part_of_the_rows_says_so_with_what_lost_most_and_what_to_do() -> None:
    assert lost_sentences(HALF) == [
        "Rests on 43.0% of the rows: 318 of 740 became pairs that could be used, 422 did not (422 too long).",
        "What is left is no random part; lost most: math 96.6% of 290 (280 too long) and code 86.7% of 150 (130 too "
        "long).",
        "--max-tokens 512 would keep 95% of the pairs (now 256).",
    ]
    assert not rests_on_most(HALF)


def test_nothing_is_said_where_nothing_was_lost_and_one_sentence_where_little_was() -> None:
    assert lost_sentences(data(part("a", 50, 50), part("b", 50, 50))) == []
    little = data(part("a", 500, 499, tie=1), part("b", 500, 500), tie=1)
    assert lost_sentences(little) == [
        "Rests on 99.9% of the rows: 999 of 1,000 became pairs that could be used, 1 did not (1 tie)."
    ]
    assert rests_on_most(little)
    rounds = data(part("a", 10_000, 9_999, tie=1), tie=1)
    assert lost_sentences(rounds)[0].startswith("Rests on over 99.9% of the rows")


def test_a_category_that_is_gone_is_said_even_where_little_was_lost() -> None:
    found = data(part("a", 990, 990), part("b", 10, 0, measured=0, too_long=10), limit=LIMIT, too_long=10)
    told = " ".join(lost_sentences(found))
    assert "In the data and not measured: b (10 rows, 0 pairs left)." in told
    assert "lost most: b 100.0% of 10" in told
    assert not rests_on_most(found)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (None, "A larger --max-tokens keeps more."),
        (TokenLimit(asked=256, keeps_95_percent=200, most=None), "A --max-tokens above 256 keeps more."),
        (
            TokenLimit(asked=256, keeps_95_percent=900, most=512),
            "To keep 95% of the pairs takes rows of 900 tokens: --max-tokens 512 is the most this base takes; take a "
            "base with a longer context.",
        ),
        (
            TokenLimit(asked=512, keeps_95_percent=900, most=512),
            "To keep 95% of the pairs takes rows of 900 tokens: take a base with a longer context.",
        ),
    ],
)
def test_the_way_out_is_one_the_base_can_go(limit: TokenLimit | None, words: str) -> None:
    assert lost_sentences(data(part("a", 20, 5, too_long=15), limit=limit, too_long=15))[-1] == words


def test_labels_people_can_settle_are_named() -> None:
    found = data(part("a", 20, 5, tie=15), tie=15)
    assert lost_sentences(found)[-1] == "Rows whose labels people can settle stand in review.jsonl."
