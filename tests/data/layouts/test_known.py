"""Layouts: every one read from an example, recognised by itself, and refused where it could mean two things."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.contract_body import CategoryCounts
from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.data.layouts.known import LAYOUTS
from assay.errors import ConfigError, InputError
from assay.records import Message, Pair

USER, ASSISTANT = "user", "assistant"


def read(*rows: dict[str, Any], **config: Any) -> PairSet:
    return read_pairs(list(rows), config=DataConfig(**config))


def one(row: dict[str, Any], **config: Any) -> Pair:
    found = read(row, **config)
    assert found.pairs, found.rejects
    return found.pairs[0]


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def layout(row: dict[str, Any], **config: Any) -> str:
    found = read(row, **config).report.layout
    assert found is not None
    return found.name


# --- native and TRL ---------------------------------------------------------------------------------------------------


def test_native_row_of_the_design() -> None:
    row = {
        "id": "p-17-ab", "prompt": "Q", "chosen": "good", "rejected": "bad", "category": "refusals",
        "group": "support-17", "votes": ["chosen", "chosen", "tie"], "margin": 1.0, "source": {"batch": "2026-03"},
    }  # fmt: skip
    pair = one(row)
    assert (pair.id, pair.category, pair.group, pair.margin) == ("p-17-ab", "refusals", "support-17", 1.0)
    assert [vote.choice for vote in pair.votes] == ["chosen", "chosen", "tie"]
    assert pair.source == {"batch": "2026-03"}


def test_trl_explicit_conversational() -> None:
    pair = one({"prompt": [said(USER, "Q")], "chosen": [said(ASSISTANT, "A")], "rejected": [said(ASSISTANT, "B")]})
    assert pair.prompt == (Message(role=USER, content="Q"),)
    assert pair.chosen == (Message(role=ASSISTANT, content="A"),)


def test_trl_implicit_conversational_shares_its_first_messages() -> None:
    start = [said("system", "Be brief"), said(USER, "Q")]
    pair = one({"chosen": [*start, said(ASSISTANT, "A")], "rejected": [*start, said(ASSISTANT, "B")]})
    assert [m.role for m in pair.prompt] == ["system", USER]  # type: ignore[union-attr]
    assert layout({"chosen": [*start, said(ASSISTANT, "A")], "rejected": [*start, said(ASSISTANT, "B")]}) == "implicit"


def test_trl_implicit_text_is_cut_at_a_line_break_not_inside_a_sentence() -> None:
    pair = one({"chosen": "Q: capital?\n\nThe capital is Paris", "rejected": "Q: capital?\n\nThe capital is Lyon"})
    assert (pair.prompt, pair.chosen, pair.rejected) == ("Q: capital?", "The capital is Paris", "The capital is Lyon")


def test_implicit_texts_without_a_boundary_share_no_prompt() -> None:
    (reject,) = read({"chosen": "The capital is Paris", "rejected": "The capital is Lyon"}).rejects
    assert reject.reason == "context_mismatch"


def test_full_conversations_beside_a_prompt_lose_it() -> None:
    talk = [said(USER, "Q"), said(ASSISTANT, "A")]
    pair = one({"prompt": "Q", "chosen": talk, "rejected": [said(USER, "Q"), said(ASSISTANT, "B")]})
    assert pair.chosen == (Message(role=ASSISTANT, content="A"),)
    (reject,) = read({"prompt": "other", "chosen": talk, "rejected": talk}).rejects
    assert reject.reason == "context_mismatch"


def test_sharegpt_names_and_text_parts_are_messages_too() -> None:
    pair = one({
        "prompt": [{"from": "human", "value": "Q"}],
        "chosen": [said(ASSISTANT, [{"type": "text", "text": "A"}])],  # type: ignore[arg-type]
        "rejected": [{"from": "gpt", "value": "B"}],
    })  # fmt: skip
    assert [text[0].content for text in (pair.prompt, pair.chosen, pair.rejected)] == ["Q", "A", "B"]  # type: ignore[union-attr]


def test_a_label_beside_chosen_and_rejected_is_never_guessed() -> None:
    row = {"prompt": "Q", "chosen": "A", "rejected": "B", "label": 1}
    with pytest.raises(InputError, match="--columns"):
        read(row)
    assert one(row, columns={"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}).chosen == "A"


def test_two_prompts_must_agree() -> None:
    row = {"prompt_left": "Q", "prompt_right": "Q ", "chosen": "A", "rejected": "B"}
    assert one(row).prompt == "Q"
    assert read({**row, "prompt_right": "Q2"}).rejects[0].reason == "context_mismatch"
    sided = {"prompt_left": "Q", "prompt_right": "R", "response_left": "A", "response_right": "B", "label": "left"}
    assert read(sided).rejects[0].reason == "context_mismatch"
    assert one({**sided, "prompt_right": "Q"}).chosen == "A"


# --- HH ---------------------------------------------------------------------------------------------------------------

HH = "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: A poem?\n\nAssistant:"


def test_hh_transcripts_become_messages_and_a_last_answer() -> None:
    row = {"chosen": f"{HH} Yes.\n\nHere.", "rejected": f"{HH} No."}
    pair = one(row)
    assert [m.role for m in pair.prompt] == [USER, ASSISTANT, USER]  # type: ignore[union-attr]
    assert pair.chosen == (Message(role=ASSISTANT, content="Yes.\n\nHere."),)
    assert layout(row) == "hh"


def test_hh_transcripts_of_different_conversations_are_a_context_mismatch() -> None:
    found = read(
        {"chosen": f"{HH} Yes", "rejected": f"{HH} No"},
        {"chosen": "\n\nHuman: X\n\nAssistant: a", "rejected": "\n\nHuman: Y\n\nAssistant: b"},
        {"chosen": f"{HH}", "rejected": f"{HH} No"},
        {"chosen": f"{HH} same", "rejected": f"{HH} same"},
        {"chosen": "no turns", "rejected": f"{HH} x"},
    )
    assert [r.reason for r in found.rejects] == [
        "context_mismatch", "empty_candidate", "identical_candidates", "missing_field",
    ]  # fmt: skip
    assert found.rejects[1].side == "chosen"


# --- comparisons and labels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["a", "A", "model_a", "response_a", "Response A", "left", "A>B", "A>>B", "[[A]]", "first"]
)
def test_spellings_of_the_first(label: str) -> None:
    assert one({"prompt": "Q", "response_a": "x", "response_b": "y", "label": label}).chosen == "x"


@pytest.mark.parametrize("label", ["b", "model_b", "response-b", "right", "B>A", "A<B", "[[B>>A]]", "second"])
def test_spellings_of_the_second(label: str) -> None:
    assert one({"prompt": "Q", "response_a": "x", "response_b": "y", "winner": label}).chosen == "y"


@pytest.mark.parametrize("label", ["tie", "Tie (bothbad)", "equal", "A=B", "both_bad", "[[A=B]]"])
def test_spellings_of_a_tie(label: str) -> None:
    row = {"prompt": "Q", "response_a": "x", "response_b": "y", "label": label}
    assert read(row).rejects[0].reason == "tie"
    kept = one(row, ties="keep")
    assert (kept.label, kept.chosen) == ("tie", "x")


@pytest.mark.parametrize("label", [0, 1, "0", "1", 1.0, True, False, "true", "yes", 2, -1, "0.5"])
def test_a_number_between_letters_is_an_error_never_a_guess(label: object) -> None:
    with pytest.raises(InputError, match=r"does not guess.*data\.labels"):
        read({"prompt": "Q", "response_a": "x", "response_b": "y", "label": label})


def test_a_number_means_the_column_of_that_number() -> None:
    zero = {"prompt": "Q", "response_0": "x", "response_1": "y"}
    assert [one({**zero, "better_response_id": n}).chosen for n in (0, 1, "0", 1.0)] == ["x", "y", "x", "y"]
    first = {"prompt": "Q", "answer1": "x", "answer2": "y"}
    assert [one({**first, "preference": n}).chosen for n in (1, 2)] == ["x", "y"]
    with pytest.raises(InputError, match="does not guess"):
        read({**first, "preference": 0})


def test_labels_say_what_numbers_mean() -> None:
    row = {"prompt": "Q", "response_a": "x", "response_b": "y"}
    labels = {"1": "left", "-1": "right", "0": "tie", "true": "left"}
    assert one({**row, "label": -1}, labels=labels).chosen == "y"
    assert read({**row, "label": 0}, labels=labels).rejects[0].reason == "tie"
    assert one({**row, "label": True}, labels=labels).chosen == "x"
    with pytest.raises(ConfigError, match="'winner'"):
        read({**row, "label": 0}, labels={"0": "winner"})


def test_an_unknown_word_and_an_empty_label_are_rejects() -> None:
    row = {"prompt": "Q", "response_a": "x", "response_b": "y"}
    found = read({**row, "label": "a"}, {**row, "label": "banana"}, {**row, "label": None}, {**row, "label": "skip"})
    assert [r.reason for r in found.rejects] == ["missing_field", "missing_field", "abstention"]
    assert "banana" in found.rejects[0].detail


def test_a_column_that_says_whose_choice_it_is_makes_a_row_a_vote() -> None:
    row = {"prompt": "Q", "response_a": "x", "response_b": "y", "winner": "a", "shown_left": "b"}
    assert layout({**row, "annotator": "ann"}) == "vote_rows"
    (vote,) = one({**row, "coder": "ann"}, columns={"annotator": "coder"}).votes
    assert (vote.annotator, vote.choice, vote.shown_left) == ("ann", "chosen", "rejected")
    assert layout(row) == "comparison"


def test_columns_of_any_name() -> None:
    row = {"instruction": "Q", "good": "x", "poor": "y", "kind": "facts", "meta": {"thread": "t1"}}
    columns = {
        "prompt": "instruction",
        "chosen": "good",
        "rejected": "poor",
        "category": "kind",
        "group": "meta.thread",
    }
    pair = one(row, columns=columns)
    assert (pair.prompt, pair.chosen, pair.category, pair.group) == ("Q", "x", "facts", "t1")
    pick = {"prompt": "instruction", "left": "good", "right": "poor", "label": "kind"}
    assert one({**row, "kind": "poor"}, columns=pick).chosen == "y"
    with pytest.raises(InputError, match="no such column"):
        read(row, columns={**columns, "chosen": "best"})
    with pytest.raises(ConfigError, match="no field 'winner'"):
        read(row, columns={"winner": "kind"})


def test_what_could_be_meant_twice_is_an_error_with_the_way_out() -> None:
    with pytest.raises(InputError, match=r"native and comparison.*--layout"):
        read({"prompt": "Q", "chosen": "a", "rejected": "b", "response_a": "x", "response_b": "y", "winner": "a"})
    with pytest.raises(InputError, match=r"'instruction', 'question'.*--columns prompt="):
        read({"question": "Q", "instruction": "R", "chosen": "a", "rejected": "b"})
    with pytest.raises(InputError, match="3 answers"):
        read({"prompt": "Q", "response_0": "a", "response_1": "b", "response_2": "c", "label": 1})
    with pytest.raises(InputError, match="More than one couple"):
        read(
            {
                "prompt": "Q",
                "response_a": "a",
                "response_b": "b",
                "model_x": 1,
                "text_a": "c",
                "text_b": "d",
                "label": "a",
            }
        )
    with pytest.raises(InputError, match=r"no known layout.*--columns"):
        read({"foo": 1})
    with pytest.raises(ConfigError, match="Layouts: auto, ukp"):
        read({"foo": 1}, layout="csv")
    with pytest.raises(InputError, match="does not fit"):
        read({"foo": 1}, layout="hh")


def test_the_first_rows_decide_together() -> None:
    found = read({"prompt": "Q"}, {"prompt": "Q", "chosen": "a", "rejected": "b"})
    assert (found.report.layout.name, found.rejects[0].reason) == ("native", "missing_field")


def test_the_layout_and_its_columns_are_in_the_report() -> None:
    report = read({"question": "Q", "response_A": "x", "response_B": "y", "label": "A>B"}).report.layout
    assert report is not None
    assert report.name == "comparison"
    assert report.columns == {"left": "response_A", "right": "response_B", "prompt": "question", "label": "label"}


# --- votes ------------------------------------------------------------------------------------------------------------

ASKED = {"prompt": "Q", "response_a": "x", "response_b": "y"}


@pytest.mark.parametrize(
    "votes",
    [
        ["a", "b", "b"],
        [["ann", "a", "because"], ["bob", "b"], ["eve", "b"]],
        {"ann": "a", "bob": "b", "eve": "b", "tom": None},
        [{"annotator": "ann", "choice": "a"}, {"annotator": "bob", "vote": "b"}, {"worker": 3, "label": "b"}],
        "a,b,b",
    ],
)
def test_votes_in_every_shape(votes: object) -> None:
    pair = one({**ASKED, "votes": votes})
    assert pair.chosen == "y"
    assert [vote.choice for vote in pair.votes] == ["rejected", "chosen", "chosen"]


def test_position_shown_follows_the_turned_pair() -> None:
    votes = [{"choice": "b", "shown_left": "a"}, {"choice": "b", "shown_left": "b"}]
    pair = one({**ASKED, "votes": votes})
    assert [vote.shown_left for vote in pair.votes] == ["rejected", "chosen"]


# --- exports ----------------------------------------------------------------------------------------------------------


def test_rewardbench_takes_its_category_from_the_subset() -> None:
    row = {"id": 3, "prompt": "Q", "chosen": "A", "rejected": "B", "subset": "xstest", "chosen_model": "m"}
    pair = one(row)
    assert (layout(row), pair.category, pair.id) == ("rewardbench", "xstest", "3")


def test_shp_follows_its_own_card() -> None:
    row = {"history": "Q", "human_ref_A": "x", "human_ref_B": "y", "labels": 1, "domain": "baking", "post_id": "t3"}
    assert (one(row).chosen, one({**row, "labels": 0}).chosen) == ("x", "y")
    assert (one(row).category, one(row).group) == ("baking", "t3")
    assert read(row, {**row, "labels": 2}).rejects[0].reason == "missing_field"


def test_a_group_of_ones_own_takes_nothing_from_a_known_layout() -> None:
    row = {"prompt": "Q", "chosen": "x", "rejected": "y", "subset": "chat", "tag": "g"}
    (pair,) = read_pairs([row], config=DataConfig(columns={"group": "tag"})).pairs
    assert (pair.category, pair.group) == ("chat", "g")
    (pair,) = read_pairs([row], config=DataConfig(columns={"category": "tag"})).pairs
    assert (pair.category, pair.group) == ("g", None)
    shp = {
        "history": "Q",
        "human_ref_A": "x",
        "human_ref_B": "y",
        "labels": 0,
        "domain": "d",
        "post_id": "7",
        "who": "w",
    }
    (pair,) = read_pairs([shp], config=DataConfig(columns={"group": "who"})).pairs
    assert (pair.chosen, pair.category, pair.group) == ("y", "d", "w")


def test_label_studio_full_export() -> None:
    def annotation(who: object, selected: str | None, **more: object) -> dict[str, object]:
        region = {
            "from_name": "comparison",
            "to_name": "comparison",
            "type": "pairwise",
            "value": {"selected": selected},
        }
        return {"completed_by": who, "result": [region] if selected else [], **more}

    row = {
        "id": 7,
        "data": {"prompt": "Q", "answer1": "x", "answer2": "y"},
        "annotations": [
            annotation(1, "right"),
            annotation({"id": 2, "email": "eve@example.org"}, "right"),
            annotation(3, "left", was_cancelled=True),
            annotation(4, None),
        ],
    }
    pair = one(row)
    assert (pair.id, pair.chosen, layout(row)) == ("7", "y", "label_studio")
    assert [(v.annotator, v.choice) for v in pair.votes] == [
        ("1", "chosen"), ("eve@example.org", "chosen"), ("3", "abstain"), ("4", "abstain"),
    ]  # fmt: skip
    assert {vote.shown_left for vote in pair.votes} == {"rejected"}
    assert read(row, {**row, "annotations": []}).rejects[0].reason == "abstention"


def test_label_studio_short_export() -> None:
    row = {"id": 7, "prompt": "Q", "answer1": "x", "answer2": "y", "annotator": 1, "comparison": {"selected": "left"}}
    assert (one(row).chosen, layout(row)) == ("x", "label_studio")


def test_argilla_flat_export_counts_submitted_responses_only() -> None:
    row = {
        "id": "r1", "status": "completed", "_server_id": "s", "instruction": "Q", "response-1": "x", "response-2": "y",
        "preference.responses": ["response-2", "response-1", "response-2"],
        "preference.responses.users": ["u1", "u2", "u3"],
        "preference.responses.status": ["submitted", "discarded", "submitted"],
        "preference.suggestion": "response-1",
    }  # fmt: skip
    pair = one(row)
    assert (layout(row), pair.chosen, len(pair.votes)) == ("argilla", "y", 2)


def test_argilla_nested_export_and_rankings() -> None:
    row = {
        "id": "r1", "fields": {"prompt": "Q", "response1": "x", "response2": "y"}, "metadata": {"category": "tone"},
        "suggestions": {}, "responses": {"ranking": [{"value": ["response2", "response1"], "user_id": "u"}]},
    }  # fmt: skip
    assert (one(row).chosen, one(row).category, layout(row)) == ("y", "tone", "argilla")
    equal = [{"value": "response1", "rank": 1}, {"value": "response2", "rank": 1}]
    assert read({**row, "responses": {"ranking": [{"value": equal, "user_id": "u"}]}}).rejects[0].reason == "tie"
    two = {**row, "responses": {"style": [], "tone": []}}
    with pytest.raises(InputError, match="--columns votes=QUESTION"):
        read(two)


def test_ukp_takes_prompt_and_group_from_the_file_name(tmp_path: Path) -> None:
    text = '#id\tlabel\ta1\ta2\n1_2\ta2\tFirst "argument\tSecond <br/> one\n'
    for side in ("yes", "no-way-"):
        (tmp_path / f"ban-plastic-bottles-_{side}.csv").write_text(text.replace("First", side))
    found = read_pairs(tmp_path)
    assert [pair.chosen for pair in found.pairs] == ["Second\none"] * 2
    assert {pair.group for pair in found.pairs} == {"ban-plastic-bottles"}
    assert found.pairs[0].prompt.startswith("Debate: Ban plastic bottles. Side: No way.")  # type: ignore[union-attr]
    assert found.pairs[0].id == "ban-plastic-bottles-_no-way-/1_2"


def test_finegrained_rlhf_has_a_judgement_on_every_two_of_four_answers() -> None:
    """Order 1v2, 1v3, 1v4, 2v3, 2v4, 3v4: 1 the first is better, 2 the second, 0 a tie."""
    row = {
        "question": "When?",
        "passages": [["Bloom", "Bloom\n\nIt is an album.", "It came out."], ["Tour", "They played."]],
        "gold": "g",
        **{f"prediction {place}": text for place, text in enumerate("abcd", 1)},
        "preference": [1, 2, 0, 1, 1, 2],
    }
    found = read_pairs([row, {**row, "preference": [1, 2, 0]}])
    assert {(pair.chosen, pair.rejected) for pair in found.pairs} == {
        ("a", "b"), ("c", "a"), ("b", "c"), ("b", "d"), ("d", "c"),
    }  # fmt: skip
    assert found.pairs[0].prompt == "Bloom\n\nIt is an album. It came out.\n\nTour\n\nThey played.\n\nWhen?"
    assert [reject.reason for reject in found.rejects] == ["tie", "missing_field"]
    assert len(found.candidates) == 1
    assert found.report.layout is not None
    assert found.report.layout.name == "finegrained_rlhf"


def test_rankings_are_each_annotator_s_votes_on_every_two() -> None:
    row = {
        "instruction": "Write.",
        "type": "Fiction",
        "source": "some model",
        "texts": {"human": "h", "edited": "e", "machine": "m"},
        "rankings_best_first": {"A": ["human", "edited", "machine"], "B": ["human", "machine", "edited"]},
    }
    found = read_pairs([row, {**row, "rankings_best_first": {"A": ["human", "robot"]}}])
    votes = {(pair.chosen, pair.rejected): [vote.choice for vote in pair.votes] for pair in found.pairs}
    assert votes == {("h", "e"): ["chosen"] * 2, ("h", "m"): ["chosen"] * 2}
    assert {pair.category for pair in found.pairs} == {"Fiction"}
    assert sorted(reject.reason for reject in found.rejects) == ["missing_field", "tie"]
    assert found.report.layout is not None
    assert found.report.layout.name == "rankings"


def test_every_layout_is_tried_here_and_says_what_it_is() -> None:
    source = Path(__file__).read_text() + Path(__file__).with_name("test_ranked_data.py").read_text()
    for name, known in LAYOUTS.items():
        assert name in source
        assert known.about


# --- chats that a table wrote as text, and what a chat holds beside text --------------------------------------------

CHAT = {
    "prompt": [said("system", "be brief"), said(USER, 'it\'s "odd", no?')],
    "chosen": [said(ASSISTANT, "yes\nindeed")],
    "rejected": [said(ASSISTANT, "no")],
}


@pytest.mark.parametrize("write", [json.dumps, repr, lambda value: " \n" + json.dumps(value, indent=1)])
def test_a_chat_written_into_a_table_as_text_is_the_chat(write: Callable[[Any], str]) -> None:
    found = one({key: write(value) for key, value in CHAT.items()})
    assert found == replace(one(CHAT), where=found.where)
    assert isinstance(found.prompt, tuple)


def test_a_chat_in_csv_with_votes_as_json(tmp_path: Path) -> None:
    import csv

    path = tmp_path / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.DictWriter(stream, [*CHAT, "votes"])
        rows.writeheader()
        votes = json.dumps(["chosen", "chosen", {"choice": "rejected", "annotator": "ann"}])
        rows.writerow({key: json.dumps(value) for key, value in CHAT.items()} | {"votes": votes})
    (found,) = read_pairs(path).pairs
    assert found.prompt == one(CHAT).prompt
    assert [(vote.choice, vote.annotator) for vote in found.votes] == [
        ("chosen", None), ("chosen", None), ("rejected", "ann"),
    ]  # fmt: skip


def test_text_that_starts_as_a_chat_and_is_none_is_refused_not_trained_on() -> None:
    cut = json.dumps(CHAT["prompt"])[:-3]
    (reject,) = read({**CHAT, "prompt": cut}).rejects
    assert (reject.reason, reject.side) == ("not_text", "prompt")
    assert one({"prompt": "[{'a': 1}] is what?", "chosen": "x", "rejected": "[{}]"}).rejected == "[{}]"


@pytest.mark.parametrize("key", ["tool_calls", "function_call"])
def test_a_tool_call_is_refused_not_lost(key: str) -> None:
    calls = [{**said(ASSISTANT, "let me look"), key: [{"function": {"name": name}}]} for name in ("good", "bad")]
    (reject,) = read({"prompt": "weather?", "chosen": [calls[0]], "rejected": [calls[1]]}).rejects
    assert (reject.reason, reject.side) == ("not_text", "chosen")
    assert key in reject.detail
    assert one({"prompt": "weather?", "chosen": [{**said(ASSISTANT, "x"), key: None}], "rejected": "y"})


def test_a_conversation_without_an_answer_is_no_candidate() -> None:
    prompt = [said(USER, "a"), said(ASSISTANT, "b"), said(USER, "c")]
    same = {"prompt": prompt, "chosen": prompt, "rejected": [*prompt, said(ASSISTANT, "x")]}
    asked = {"prompt": prompt, "chosen": [said(ASSISTANT, "x"), said(USER, "and?")], "rejected": "y"}
    found = read(same, asked).rejects
    assert [(reject.reason, reject.side) for reject in found] == [
        ("empty_candidate", "chosen"), ("missing_field", "chosen"),
    ]  # fmt: skip


def test_roles_are_read_in_any_case() -> None:
    found = one({"prompt": [said("User", "q")], "chosen": [said("ASSISTANT", "a")], "rejected": "b"})
    assert [message.role for message in (*found.prompt, *found.chosen)] == [USER, ASSISTANT]  # type: ignore[misc]


def test_a_category_called_none_or_unnamed_is_counted_once() -> None:
    names = ["(none)", None, "None", ""]
    rows = [{"prompt": f"q{n}", "chosen": "a", "rejected": "b", "category": name} for n, name in enumerate(names)]
    report = read(*rows, {**rows[0], "chosen": ""}).report
    assert report.by_category == {
        "(none)": CategoryCounts(kept=3, rejected=1, reasons={"empty_candidate": 1}),
        "None": CategoryCounts(kept=1, rejected=0),
    }
    assert report.categories == {"(none)": 3, "None": 1}


def test_the_draft_of_an_unknown_layout_guesses_what_is_plain() -> None:
    """Neither an answer nor a number is the prompt, votes outrank a label, and a reference answer is no label."""
    voted = {"topic": "T", "one_1": "a long answer, the longest text here", "one_2": "b", "ballots": [["w1", "1"]]}
    with pytest.raises(InputError) as raised:
        read(voted | {"gold": "1"})
    assert "prompt: topic\nanswers: {left: one_1, right: one_2}\noutcome: {votes: {list: ballots}}" in str(raised.value)
    with pytest.raises(InputError) as raised:
        read({"prompt": 8, "ask": "How?", "said_a": "x", "said_b": "y", "gold": "A full sentence. " * 9, "won": "a"})
    assert "prompt: ask\nanswers: {left: said_a, right: said_b}\noutcome: {label: COLUMN" in str(raised.value)
    with pytest.raises(InputError) as raised:
        read(*({"topic": "T", "a1": "x", "a2": "y", "gold": word} for word in ("a1", "a2", "equal")))
    assert "words: {'a1': left, 'a2': right, 'equal': tie}" in str(raised.value)


def test_a_file_that_is_one_object_around_its_rows_is_told_so() -> None:
    with pytest.raises(InputError, match=r"rows seem to stand in 'instances', a list of 25 objects"):
        read({"dataset": "D", "instances": [{"id": n, "said": "x"} for n in range(25)]})
