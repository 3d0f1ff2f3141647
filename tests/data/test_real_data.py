"""Published data, where they are there: the counts their authors give, through the reader a user would use."""

from __future__ import annotations

import json

import pytest

from assay.data import PairSet, read_pairs, split
from assay.data.config import DataConfig, SplitConfig
from assay.errors import SplitError
from tests.support.real_data import real


def adds_up(found: PairSet) -> bool:
    return len(found.pairs) + len(found.rejects) == found.rows


def layout_of(found: PairSet) -> str:
    assert found.report.layout is not None
    return found.report.layout.name


def longer_is_chosen(found: PairSet) -> float:
    lengths = found.report.lengths
    assert lengths is not None
    assert lengths.longer_is_chosen_share is not None
    return lengths.longer_is_chosen_share


def test_hh_harmless_has_2312_dialogues() -> None:
    found = read_pairs(real("hh_rlhf_harmless_test/harmless-base/test.jsonl.gz"))
    assert (found.rows, layout_of(found)) == (2312, "hh")
    assert adds_up(found)
    assert [reject.reason for reject in found.rejects] == ["empty_candidate"] * 4
    for pair in found.pairs:
        assert pair.prompt[-1].role == "user"  # type: ignore[union-attr]
        assert [message.role for message in pair.chosen] == ["assistant"]  # type: ignore[union-attr]


def test_ukp_has_11650_pairs_in_16_debates() -> None:
    found = read_pairs(real("ukpconvarg1/UKPConvArg1Strict-CSV"))
    assert (found.rows, layout_of(found)) == (11_650, "ukp")
    assert adds_up(found)
    assert {reject.reason for reject in found.rejects} == {"duplicate", "conflicting_labels"}
    assert len(set(found.groups)) == len({pair.group for pair in found.pairs}) == 16
    assert len({pair.prompt for pair in found.pairs}) == 32
    # "The longer argument wins" is right in about four pairs of five, says the corpus's README.
    assert 0.75 < longer_is_chosen(found) < 0.82


def test_ukp_holds_out_whole_debates() -> None:
    found = read_pairs(real("ukpconvarg1/UKPConvArg1Strict-CSV"))
    with pytest.raises(SplitError, match="16 groups"):
        split(found.pairs, config=SplitConfig(holdout=1000), groups=found.groups)
    sides = split(found.pairs, config=SplitConfig(holdout=1000, rounding="nearest"), groups=found.groups)
    assert not {p.group for p in sides.train} & {p.group for p in sides.held_out}
    assert abs(len(sides.held_out) - 1000) < 200


def test_ukp_votes_by_columns() -> None:
    columns = {"prompt": "topic", "left": "a1", "right": "a2", "votes": "votes", "group": "title"}
    labels = {"equal": "tie"}
    path = real("ukpconvarg1/DERIVED_votes_full.jsonl.gz")
    found = read_pairs(path, config=DataConfig(columns=columns, labels=labels))
    assert found.rows == 16_927
    assert adds_up(found)
    agreement = found.report.agreement
    assert agreement is not None
    assert (agreement.votes, agreement.annotators) == (84_445, 3815)
    assert found.report.rejects["low_agreement"] > 0


def test_finegrained_has_3000_comparisons_and_384_ties() -> None:
    questions = json.loads((real("finegrained_rlhf") / "dev_feedback.json").read_text())
    order = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]
    rows = [
        {
            "prompt": item["question"],
            "response_1": item[f"prediction {a}"],
            "response_2": item[f"prediction {b}"],
            "label": choice,
        }
        for item in questions
        for (a, b), choice in zip(order, item["preference"], strict=True)
    ]
    found = read_pairs(rows, config=DataConfig(labels={"0": "tie"}))
    assert found.rows == 3000
    assert adds_up(found)
    identical = found.report.rejects["identical_candidates"]
    assert found.report.rejects["tie"] <= 384 <= found.report.rejects["tie"] + identical


def test_judgebench_and_llmfao_are_read_by_their_own_columns() -> None:
    found = read_pairs(real("judgebench/judgebench_gpt-4o.jsonl"))
    assert (found.rows, len(found.pairs), layout_of(found)) == (350, 350, "comparison")
