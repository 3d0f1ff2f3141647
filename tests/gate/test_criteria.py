"""Criteria: what is understood, by what default, and what is refused with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import GateError
from assay.gate import load_criteria
from assay.gate.criteria import parse, read_criteria


def test_the_built_in_set():
    found = load_criteria(None)
    assert [criterion.text for criterion in found] == [
        "overall accuracy > 0.72",
        "every category > 0.65",
        "not degenerate",
        "no prompt overlap",
        "beats the length baseline",
    ]
    assert {criterion.by for criterion in found} == {"bound"}
    assert load_criteria("support") == found


@pytest.mark.parametrize(
    ("text", "kind", "finding", "operator", "threshold", "by"),
    [
        ("overall accuracy > 0.72", "overall", "accuracy", ">", 0.72, "bound"),
        ("accuracy >= 72% by point", "overall", "accuracy", ">=", 0.72, "point"),
        ("every category > 0.65", "every_category", "accuracy", ">", 0.65, "bound"),
        ("Every category length-matched accuracy>.6", "every_category", "length_matched_accuracy", ">", 0.6, "bound"),
        ("category refusals > 0.7", "category", "accuracy", ">", 0.7, "bound"),
        ('category "billing questions" length baseline < 60%', "category", "length_baseline", "<", 0.6, "bound"),
        ("seed spread < 0.03", "overall", "seed_spread", "<", 0.03, "point"),
        ("category gap < 0.1", "overall", "category_gap", "<", 0.1, "bound"),
        ("reward_length_correlation <= 0.5", "overall", "reward_length_correlation", "<=", 0.5, "bound"),
        ("reward mean > -3", "overall", "reward_mean", ">", -3.0, "bound"),
    ],
)
def test_grammar(text, kind, finding, operator, threshold, by):
    found = parse(text)
    assert (found.kind, found.finding, found.operator, found.by) == (kind, finding, operator, by)
    assert found.threshold == pytest.approx(threshold)


def test_by_is_said_for_all_for_one_or_in_the_words():
    found = read_criteria(
        {
            "by": "point",
            "criteria": [
                "accuracy > 0.7",
                "accuracy > 0.7 by bound",
                {"criterion": "accuracy > 0.7", "by": "bound"},
                {"criterion": "not degenerate"},
            ],
        }
    )
    assert [criterion.by for criterion in found] == ["point", "bound", "bound", "point"]
    assert found[2].text == "accuracy > 0.7"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "no criteria"),
        ([], "no criteria"),
        ({}, "no criteria"),
        ({"criteria": []}, "no criteria"),
        ("accuracy > 0.7", "no criteria"),
        ({"criterias": ["accuracy > 0.7"]}, "unknown keys"),
        ({"by": "luck", "criteria": ["accuracy > 0.7"]}, "takes point or bound"),
        (["overall acuracy > 0.7"], "no finding is called 'acuracy'"),
        (["accuracy = 0.7"], "not understood"),
        (["accuracy > 0.7 > 0.6"], "not understood"),
        (["be good"], "not understood"),
        (["accuracy > high"], "not a number"),
        (["accuracy > nan"], "decides nothing"),
        (["accuracy > 72"], "0.72 or 72%"),
        (["accuracy > -0.1"], "decides nothing"),
        (["seed spread < 0.03 by bound"], "by point"),
        (["not degenerate by point"], "leave out"),
        (["accuracy > 0.7 by feel"], "takes point or bound"),
        ([{"criterion": "accuracy > 0.7 by point", "by": "bound"}], "twice"),
        ([{"criteria": "accuracy > 0.7"}], "neither a text"),
        ([3], "neither a text"),
    ],
)
def test_what_no_rule_understands_is_an_error(value, words):
    with pytest.raises(GateError, match=words):
        read_criteria(value)


def test_a_folder_that_happens_to_be_called_like_a_built_in_set_is_not_read_as_criteria(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    built_in = load_criteria("study")
    Path("study").mkdir()
    assert load_criteria("study") == built_in
    Path("overall").write_text("criteria: [accuracy > 0.9]\n")
    assert [criterion.threshold for criterion in load_criteria("overall")] == [0.9]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(GateError, match="cannot be read"):
        load_criteria(tmp_path / "none.yaml")
    (tmp_path / "torn.yaml").write_text("criteria: [")
    with pytest.raises(GateError, match="not YAML"):
        load_criteria(tmp_path / "torn.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    with pytest.raises(GateError, match=r"empty\.yaml: no criteria"):
        load_criteria(tmp_path / "empty.yaml")


def test_a_list_of_criteria_that_stands_twice_is_an_error_not_half_a_gate(tmp_path: Path) -> None:
    path = tmp_path / "criteria.yaml"
    path.write_text("criteria: [overall accuracy > 0.9]\nby: bound\ncriteria: [no prompt overlap]\n")
    with pytest.raises(GateError, match="'criteria' stands twice"):
        load_criteria(path)
