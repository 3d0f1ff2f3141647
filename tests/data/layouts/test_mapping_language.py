"""The mapping language: a user's own file reads rows no layout knows, and a wrong word is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.errors import ConfigError, InputError


def read(tmp_path: Path, text: str, *rows: dict[str, Any], **config: Any) -> PairSet:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    return read_pairs(list(rows), config=DataConfig(near_duplicates=None, layout=str(file), **config))


ROW = {"ask": {"text": "Q"}, "one": "x", "two": "y", "m": "gpt", "n": "llama", "won": "llama"}
OWN = "prompt: ask.text\nanswers: {left: one, right: two}\n"


def test_a_winner_told_by_name(tmp_path: Path) -> None:
    found = read(tmp_path, OWN + "outcome: {label: won, names: [m, n]}\ncategory: m", ROW)
    assert [(pair.prompt, pair.chosen, pair.category) for pair in found.pairs] == [("Q", "y", "gpt")]
    assert found.report.layout is not None
    assert found.report.layout.name == "own"


def test_votes_in_a_list_with_a_signed_strength(tmp_path: Path) -> None:
    votes = [{"score": -2, "who": "ann"}, {"score": -1, "who": "bob"}, {"score": 3, "who": "eve"}]
    outcome = "outcome: {votes: {list: v, strength: score, negative: right, annotator: who}}"
    found = read(tmp_path, OWN + outcome, {**ROW, "v": votes})
    assert found.pairs[0].chosen == "y"
    assert [(vote.annotator, vote.choice) for vote in found.pairs[0].votes] == [
        ("ann", "chosen"), ("bob", "chosen"), ("eve", "rejected"),
    ]  # fmt: skip


def test_a_least_difference_makes_ties(tmp_path: Path) -> None:
    text = "row: candidates\nprompt: q\nanswers: {list: a, text: t}\noutcome: {score: s, least_difference: 1}"
    answers = [{"t": "x", "s": 0}, {"t": "y", "s": 1}, {"t": "z", "s": 2}]
    found = read(tmp_path, text, {"q": "Q", "a": answers})
    assert [(pair.chosen, pair.rejected) for pair in found.pairs] == [("z", "x")]
    assert [reject.reason for reject in found.rejects] == ["tie", "tie"]


def test_stated_labels_replace_the_layouts_words(tmp_path: Path) -> None:
    text = OWN + "outcome: {label: won, words: {llama: left}}"
    assert read(tmp_path, text, ROW).pairs[0].chosen == "x"
    assert read(tmp_path, text, ROW, labels={"llama": "right"}).pairs[0].chosen == "y"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("answers: {left: a}", "answers: expected one of: left and right"),
        ("answers: {left: a, right: b}\nprompt: q", "outcome is missing"),
        ("answers: {left: a, right: b}\noutcome: {rank: r}\nprompt: q", "by flags, label"),
        ("answers: {left: a, right: b}\noutcome: {strength: r}\nprompt: q", "strength and negative go together"),
        ("answers: {chosen: a, rejected: b}\nprompts: q", "prompts: .*no word of the language"),
        ("answers: {chosen: 'a[x]', rejected: b}", "answers.chosen: .*is no path"),
        ("answers: {chosen: a, rejected: b}\nanswers: {}", "stands twice"),
        ("[1]", "keys and values"),
    ],
)
def test_a_wrong_word_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(tmp_path, text, ROW)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"its right in 'three'.*'one'"):
        read(tmp_path, "prompt: ask.text\nanswers: {left: one, right: three}\noutcome: {label: won}", ROW)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_pairs([ROW], config=DataConfig(layout=str(tmp_path / "none.yaml")))


def test_the_error_for_an_unknown_layout_is_a_draft_that_can_be_corrected(tmp_path: Path) -> None:
    row = {"ask": "Q", "one_a": "x", "one_b": "y", "verdict": "b"}
    with pytest.raises(InputError, match=r"layout\.yaml") as error:
        read_pairs([row])
    draft = str(error.value).partition("\n\n")[2]
    assert "answers: {left: one_a, right: one_b}" in draft
    assert "# verdict: 'b'" in draft
    mended = draft.replace("label: COLUMN, words: {'LABEL': left}", "label: verdict").replace(
        "prompt: one_a", "prompt: ask"
    )
    assert read(tmp_path, mended, row).pairs[0].chosen == "y"
