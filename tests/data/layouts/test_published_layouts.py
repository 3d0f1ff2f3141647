"""Published layouts, read as they are: rows of our own making, no flag, and what each of them means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.data.layouts.mapped_layouts import known_layouts
from assay.errors import ConfigError
from assay.records import Text, plain_text

Rows = dict[str, Any]


def read(*rows: Rows, **config: Any) -> PairSet:
    return read_pairs(list(rows), config=DataConfig(near_duplicates=None, **config))


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def sent(role: str, value: str) -> dict[str, str]:
    return {"from": role, "value": value}


def words(found: PairSet) -> list[tuple[str, str]]:
    """(chosen, rejected) of every pair, as plain words."""
    return [(plain_text(pair.chosen), plain_text(pair.rejected)) for pair in found.pairs]


def messages(text: Text) -> list[tuple[str, str]]:
    assert isinstance(text, tuple)
    return [(message.role, message.content) for message in text]


def layout(found: PairSet) -> str:
    assert found.report.layout is not None
    return found.report.layout.name


def reasons(found: PairSet) -> list[str]:
    return [reject.reason for reject in found.rejects]


USER, BOT = "user", "assistant"
STEERED = {
    "domain": "code", "language": "python", "context": [said(USER, "Sort a list?")],
    "response1": "by hand", "response2": "sorted(x)",
}  # fmt: skip


def test_helpsteer3_signs_its_strength() -> None:
    right, left = [{"score": 1, "reasoning": "r", "feedback": "f"}], [{"score": -3, "reasoning": "r", "feedback": "f"}]
    found = read(
        {**STEERED, "overall_preference": 1, "individual_preference": right},
        {**STEERED, "context": [said(USER, "two")], "overall_preference": -3, "individual_preference": left},
        {**STEERED, "context": [said(USER, "three")], "overall_preference": 0},
        {**STEERED, "context": [said(USER, "four")], "overall_preference": None},
    )
    assert layout(found) == "helpsteer3"
    assert words(found) == [("sorted(x)", "by hand"), ("by hand", "sorted(x)")]
    assert [pair.margin for pair in found.pairs] == [1.0, 3.0]
    assert reasons(found) == ["tie", "missing_field"]
    assert {pair.category for pair in found.pairs} == {"code"}


def test_helpsteer3_keeps_the_votes_of_its_annotators() -> None:
    def votes(*scores: int) -> list[dict[str, object]]:
        return [{"score": score, "reasoning": "r", "feedback": "f"} for score in scores]

    found = read(
        {**STEERED, "overall_preference": -2, "individual_preference": votes(-3, -1, 2)},
        {**STEERED, "context": [said(USER, "two")], "overall_preference": 1, "individual_preference": votes(1, -1, -2)},
    )
    (pair,) = found.pairs
    assert (plain_text(pair.chosen), pair.margin) == ("by hand", 2.0)
    assert [vote.choice for vote in pair.votes] == ["chosen", "chosen", "rejected"]
    assert reasons(found) == ["low_agreement"]  # one of three agrees with what the row says
    assert found.report.agreement is not None
    assert (found.report.agreement.votes, found.report.agreement.mean_majority_share) == (6, 2 / 3)
    assert found.report.columns["individual_preference"].role == "votes"


def test_helpsteer2_signs_its_strength() -> None:
    row = {"prompt": "Q", "response_1": "one", "response_2": "two", "preference_statement": "s"}
    found = read({**row, "preference_strength": 2}, {**row, "prompt": "R", "preference_strength": -1})
    assert (layout(found), words(found)) == ("helpsteer2_preference", [("two", "one"), ("one", "two")])
    assert [pair.margin for pair in found.pairs] == [2.0, 1.0]


def test_rewardbench2_compares_right_with_wrong_and_never_right_with_right() -> None:
    row = {"id": "7", "prompt": "Q", "chosen": ["good"], "rejected": ["x", "y", "z"], "num_correct": 1,
           "num_incorrect": 3, "total_completions": 4, "models": ["m"], "subset": "Factuality"}  # fmt: skip
    tied = {**row, "id": "tied:3", "prompt": "Name a color", "chosen": ["red", "blue"], "rejected": ["dog"],
            "num_correct": 2, "subset": "Ties"}  # fmt: skip
    found = read(row, tied)
    assert layout(found) == "rewardbench2"
    assert words(found) == [("good", "x"), ("good", "y"), ("good", "z"), ("red", "dog"), ("blue", "dog")]
    assert [pair.weight for pair in found.pairs] == pytest.approx([1 / 3] * 3 + [1 / 2] * 2)
    assert [pair.category for pair in found.pairs] == ["Factuality"] * 3 + ["Ties"] * 2
    assert [pair.id for pair in found.pairs][-2:] == ["tied:3/0-2", "tied:3/1-2"]
    assert not found.rejects
    assert found.report.candidates is not None
    assert (found.report.candidates.rows, found.report.candidates.answers) == (2, 7)
    assert len(set(found.groups)) == 2


def test_ultrafeedback_scores_may_tie_or_contradict_and_that_is_said() -> None:
    def row(prompt: str, high: float | None, low: float | None) -> Rows:
        chats = {
            side: [said(USER, prompt), said(BOT, text)] for side, text in (("chosen", "yes"), ("rejected", "no"))
        }  # fmt: skip
        return {"prompt": prompt, "prompt_id": "h", "messages": chats["chosen"], **chats,
                "score_chosen": high, "score_rejected": low}  # fmt: skip

    found = read(row("a", 8.5, 6.0), row("b", 6.0, 6.0), row("c", 2.0, 10.0), row("d", None, None))
    assert layout(found) == "ultrafeedback_binarized"
    assert words(found) == [("yes", "no")] * 2
    assert [pair.margin for pair in found.pairs] == [2.5, None]
    assert reasons(found) == ["tie", "conflicting_labels"]
    assert "chosen has the score 2, rejected 10" in found.rejects[1].detail


def test_nectar_ranks_its_answers() -> None:
    answers = [{"answer": text, "model": "m", "rank": float(rank)} for text, rank in (("c", 3), ("a", 1), ("b", 2))]
    found = read(
        {"prompt": "\n\nHuman: Why?\n\nAssistant: ", "answers": answers, "turns": 1, "num_responses": 3,
         "source": ["s"], "good_natured": True}
    )  # fmt: skip
    assert layout(found) == "nectar"
    assert sorted(words(found)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert messages(found.pairs[0].prompt) == [(USER, "Why?")]


def test_nemo_rl_takes_the_lowest_rank_for_the_best() -> None:
    completions = [
        {"rank": 1, "completion": [said(BOT, "worse")]},
        {"rank": 0, "completion": [said(BOT, "better")]},
    ]
    found = read({"context": [said(USER, "Q")], "completions": completions, "task_name": "t"})
    assert (layout(found), words(found)) == ("nemo_rl", [("better", "worse")])


def test_llama_factory_pairs_are_one_message_each() -> None:
    found = read(
        {"conversations": [sent("human", "Q"), sent("gpt", "A"), sent("human", "R")], "chosen": sent("gpt", "good"),
         "rejected": sent("gpt", "bad"), "system": "Be brief"}
    )  # fmt: skip
    assert (layout(found), words(found)) == ("llama_factory", [("good", "bad")])
    assert messages(found.pairs[0].prompt) == [("system", "Be brief"), (USER, "Q"), (BOT, "A"), (USER, "R")]


def test_llama_factory_ranking_has_the_best_first_and_two_columns_of_prompt() -> None:
    row = {"instruction": "Translate", "input": "chat", "output": ["cat", "dog", "cow"]}
    found = read(row, {**row, "input": ""})
    assert layout(found) == "llama_factory_ranking"
    assert words(found)[:3] == [("cat", "dog"), ("cat", "cow"), ("dog", "cow")]
    assert [pair.prompt for pair in found.pairs][::3] == ["Translate\n\nchat", "Translate"]


def test_instruction_and_input_are_one_prompt() -> None:
    row = {"instruction": "Translate", "input": "chat", "chosen": "cat", "rejected": "dog"}
    found = read(row, {**row, "input": "chien", "chosen": "dog", "rejected": "cat"})
    assert [pair.prompt for pair in found.pairs] == ["Translate\n\nchat", "Translate\n\nchien"]
    assert (layout(found), reasons(found)) == ("alpaca_pairs", [])


def test_ms_swift_ends_its_messages_with_the_chosen_answer() -> None:
    talk = [said("system", "S"), said(USER, "Q"), said(BOT, "good")]
    found = read({"messages": talk, "rejected_response": "bad"})
    assert (layout(found), words(found)) == ("ms_swift", [("good", "bad")])
    assert messages(found.pairs[0].prompt) == [("system", "S"), (USER, "Q")]
    other = read({"messages": talk, "rejected_messages": [*talk[:-1], said(BOT, "bad")]})
    assert (layout(other), words(other)) == ("ms_swift_messages", [("good", "bad")])


def test_axolotl_has_messages_and_one_message_a_side() -> None:
    found = read({"messages": [said(USER, "Q")], "chosen": said(BOT, "good"), "rejected": said(BOT, "bad")})
    assert (layout(found), words(found)) == ("axolotl", [("good", "bad")])


def test_orca_pairs_keep_their_system_message() -> None:
    row = {"system": "Be kind", "question": "Q", "chosen": "good", "rejected": "bad"}
    found = read(row, {**row, "system": "Be rude", "chosen": "bad", "rejected": "good"}, {**row, "system": ""})
    assert (layout(found), reasons(found)) == ("orca_pairs", [])
    assert [messages(pair.prompt)[0] for pair in found.pairs[:2]] == [("system", "Be kind"), ("system", "Be rude")]
    assert plain_text(found.pairs[2].prompt) == "Q"


def test_distilabel_pairs_say_which_are_tied() -> None:
    row = {
        "system": "S",
        "input": "Q",
        "chosen": "good",
        "rejected": "bad",
        "rating": [9.0, 7.0],
        "status": "unchanged",
    }
    found = read(row, {**row, "input": "R", "status": "swapped"}, {**row, "input": "T", "status": "tie"})
    assert (layout(found), reasons(found)) == ("distilabel_orca", ["tie"])
    assert words(found) == [("good", "bad")] * 2


def test_distilabel_ratings_are_the_margin_in_whatever_order_they_stand() -> None:
    row = {"system": "S", "chosen": "good", "rejected": "bad", "status": "unchanged"}
    found = read(
        {**row, "input": "Q", "rating": [9.0, 6.5]},
        {**row, "input": "R", "rating": [7, 8], "status": "swapped"},
        {**row, "input": "T", "rating": None},
        {**row, "input": "U", "rating": ["none", 8]},
    )
    assert [pair.margin for pair in found.pairs] == [2.5, 1.0, None]
    assert [(reject.reason, reject.detail[:11]) for reject in found.rejects] == [("missing_field", '"rating[0]"')]
    assert found.report.columns["rating"].role == "margin"


def test_pku_saferlhf_is_a_pair_by_each_objective() -> None:
    row = {"prompt": "Q", "response_0": "long", "response_1": "safe", "is_response_0_safe": False,
           "is_response_1_safe": True, "better_response_id": 0, "safer_response_id": 1}  # fmt: skip
    found = read(row, {**row, "prompt": "R", "safer_response_id": 0})
    assert (layout(found), reasons(found)) == ("pku_saferlhf", [])
    assert words(found) == [("long", "safe"), ("safe", "long"), ("long", "safe"), ("long", "safe")]
    assert [pair.category for pair in found.pairs] == ["better", "safer"] * 2
    assert [pair.source["objective"] for pair in found.pairs] == ["better", "safer"] * 2
    assert len({pair.id for pair in found.pairs}) == 4
    again = read_pairs(found.pairs, config=DataConfig(near_duplicates=None))
    assert [(pair.id, pair.category) for pair in again.pairs] == [(pair.id, pair.category) for pair in found.pairs]
    both = read(row, {**row, "better_response_id": 1})
    assert reasons(both) == ["duplicate", "conflicting_labels", "conflicting_labels"] or sorted(reasons(both)) == [
        "conflicting_labels", "conflicting_labels", "duplicate",
    ]  # fmt: skip


def test_one_objective_can_be_chosen() -> None:
    row = {"prompt": "Q", "response_0": "long", "response_1": "safe", "better_response_id": 0, "safer_response_id": 1}
    for objective, expected in (("better", ("long", "safe")), ("safer", ("safe", "long"))):
        found = read(row, {**row, "prompt": "R"}, objective=objective)
        assert (words(found), reasons(found)) == ([expected] * 2, [])
        assert [(pair.category, dict(pair.source)) for pair in found.pairs] == [(None, {})] * 2
        other = {"better": "safer_response_id", "safer": "better_response_id"}[objective]
        assert found.report.columns[other].role == "unused"
    with pytest.raises(ConfigError, match=r"no objective 'kinder': its objectives are better, safer"):
        read(row, objective="kinder")
    with pytest.raises(ConfigError, match=r"layout native has no objective 'better': its rows state one outcome"):
        read({"prompt": "Q", "chosen": "x", "rejected": "y"}, objective="better")


def test_arena_conversations_begin_with_their_prompt() -> None:
    def row(question: str, winner: str) -> Rows:
        return {"question_id": "q", "model_a": "m", "model_b": "n", "winner": winner, "judge": "arena_user_1",
                "conversation_a": [said(USER, question), said(BOT, "x")],
                "conversation_b": [said(USER, question), said(BOT, "y")], "turn": 1}  # fmt: skip

    found = read(row("1", "model_a"), row("2", "model_b"), row("3", "tie"), row("4", "tie (bothbad)"))
    assert (layout(found), words(found)) == ("arena_conversations", [("x", "y"), ("y", "x")])
    assert reasons(found) == ["tie", "tie"]
    assert [vote.annotator for vote in found.pairs[0].votes] == ["arena_user_1"]
    assert messages(found.pairs[0].prompt) == [(USER, "1")]


def test_arena_turns_are_lists_in_cells_and_flags_say_who_won() -> None:
    def row(prompts: list[str], a: list[str], b: list[str], *flags: int) -> Rows:
        texts = {"prompt": prompts, "response_a": a, "response_b": b}
        won = dict(zip(("winner_model_a", "winner_model_b", "winner_tie"), flags, strict=True))
        return {"id": prompts[0], "model_a": "m"} | {key: json.dumps(text) for key, text in texts.items()} | won

    found = read(
        row(["Q"], ["x"], ["y"], 1, 0, 0),
        row(["Q1", "Q2"], ["a1", "a2"], ["b1", "b2"], 0, 1, 0),
        row(["T"], ["x"], ["y"], 0, 0, 1),
        row(["N"], ["x"], ["y"], 0, 0, 0),
        row(["M"], ["x"], [], 1, 0, 0),
    )
    assert (layout(found), reasons(found)) == ("arena_turns", ["tie", "missing_field", "missing_field"])
    assert (found.pairs[0].prompt, found.pairs[0].chosen, found.pairs[0].rejected) == ("Q", "x", "y")
    assert messages(found.pairs[1].prompt) == [(USER, "Q1")]
    assert messages(found.pairs[1].chosen) == [(BOT, "b1"), (USER, "Q2"), (BOT, "b2")]


def test_summarize_from_feedback_brings_the_votes_of_a_pair_together() -> None:
    def row(post: str, texts: list[str], choice: int, worker: str) -> Rows:
        return {"info": {"id": post, "post": post, "title": "t"}, "summaries": [{"text": text} for text in texts],
                "choice": choice, "worker": worker, "batch": "1", "extra": {}}  # fmt: skip

    found = read(
        row("p1", ["s", "t"], 0, "ann"), row("p2", ["u", "v"], 1, "ann"),
        row("p1", ["t", "s"], 1, "bob"), row("p1", ["s", "t"], 1, "eve"),
    )  # fmt: skip
    assert (layout(found), reasons(found), found.rows) == ("summarize_from_feedback", [], 2)
    assert sorted(words(found)) == [("s", "t"), ("v", "u")]
    pair = next(pair for pair in found.pairs if pair.prompt == "p1")
    assert [(vote.annotator, vote.choice) for vote in pair.votes] == [
        ("ann", "chosen"), ("bob", "chosen"), ("eve", "rejected"),
    ]  # fmt: skip


def test_webgpt_scores_decide_and_equal_ones_tie() -> None:
    row = {"question": {"full_text": "Q", "id": "1"}, "answer_0": "x", "answer_1": "y"}
    found = read({**row, "score_0": -1.0, "score_1": 1.0}, {**row, "score_0": 0.0, "score_1": 0.0})
    assert (layout(found), words(found), reasons(found)) == ("webgpt_comparisons", [("y", "x")], ["tie"])
    assert (found.pairs[0].prompt, found.pairs[0].margin) == ("Q", 2.0)


def test_stack_exchange_scores_many_answers() -> None:
    answers = [{"answer_id": n, "text": text, "pm_score": score, "author": "a", "selected": False}
               for n, (text, score) in enumerate((("low", 0), ("high", 3), ("same", 0)))]  # fmt: skip
    found = read({"qid": 5, "question": "Q", "answers": answers, "date": "d", "metadata": ["m"]})
    assert (layout(found), words(found)) == ("stack_exchange_preferences", [("high", "low"), ("high", "same")])
    assert (reasons(found), [pair.margin for pair in found.pairs]) == (["tie"], [3.0, 3.0])


def test_ultrafeedback_goes_by_the_mean_of_its_ratings() -> None:
    """overall_score is 10 for some answers whose ratings are all 1."""
    completions = [
        {"response": text, "fine-grained_score": fine, "overall_score": overall, "model": text}
        for text, fine, overall in (("poor", 1.0, 10), ("good", 4.5, 8), ("fine", 3.0, 7))
    ]
    found = read({"source": "evol", "instruction": "Q", "completions": completions, "correct_answers": ["None"]})
    assert layout(found) == "ultrafeedback"
    assert sorted(words(found)) == [("fine", "poor"), ("good", "fine"), ("good", "poor")]
    assert found.candidates[0].scores == (1.0, 4.5, 3.0)


def test_helpsteer2_has_a_row_an_answer_and_goes_by_helpfulness() -> None:
    ratings = {"correctness": 3, "coherence": 4, "complexity": 1, "verbosity": 1}
    rows = [("p", "good", 4), ("q", "one", 2), ("p", "bad", 1), ("q", "other", 2)]
    found = read(*({"prompt": p, "response": text, "helpfulness": grade} | ratings for p, text, grade in rows))
    assert (layout(found), words(found), reasons(found)) == ("helpsteer2", [("good", "bad")], ["tie"])


def test_pandalm_has_three_votes_in_three_columns() -> None:
    row = {"idx": 4, "instruction": "Add", "input": "1 2", "response1": "3", "response2": "12"}
    votes = {"annotator1": 1, "annotator2": 1, "annotator3": 2}
    found = read(row | votes, row | {"idx": 5, "input": "2 2"} | dict.fromkeys(votes, 0))
    assert (layout(found), words(found), reasons(found)) == ("pandalm", [("3", "12")], ["tie"])
    assert found.pairs[0].prompt == "Add\n\n1 2"
    assert [(vote.annotator, vote.choice) for vote in found.pairs[0].votes] == [
        ("annotator1", "chosen"), ("annotator2", "chosen"), ("annotator3", "rejected"),
    ]  # fmt: skip


def test_votes_in_long_form_are_one_pair_however_far_apart_and_in_either_order() -> None:
    def row(prompt: str, a: str, b: str, who: str, choice: str) -> Rows:
        return {
            "prompt_id": prompt,
            "prompt": prompt,
            "response_a": a,
            "response_b": b,
            "annotator": who,
            "winner": choice,
        }

    found = read(
        row("p", "x", "y", "ann", "a"), row("q", "x", "y", "ann", "b"),
        row("p", "y", "x", "bob", "b"), row("p", "x", "y", "eve", "tie"), row("q", "x", "y", "bob", ""),
    )  # fmt: skip
    assert (layout(found), reasons(found), found.rows) == ("vote_rows", [], 2)
    pairs = {pair.prompt: pair for pair in found.pairs}
    assert (pairs["p"].chosen, [vote.choice for vote in pairs["p"].votes]) == ("x", ["chosen", "chosen", "tie"])
    assert (pairs["q"].chosen, [vote.choice for vote in pairs["q"].votes]) == ("y", ["chosen", "abstain"])


def test_kto_pairs_only_within_a_prompt() -> None:
    rows = [("p", "good", True), ("q", "lonely", True), ("p", "bad", False), ("p", "fine", True)]
    found = read(*({"prompt": p, "completion": c, "label": label} for p, c, label in rows))
    assert (layout(found), sorted(words(found))) == ("kto", [("fine", "bad"), ("good", "bad")])
    assert reasons(found) == ["missing_field"]
    assert "all of them good" in found.rejects[0].detail
    chats = [{"prompt": [said(USER, "p")], "completion": [said(BOT, c)], "label": n} for n, c in enumerate("xy")]
    assert words(read(*chats)) == [("y", "x")]


def test_every_known_layout_is_tried_here() -> None:
    from pathlib import Path

    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in known_layouts() if f'"{name}"' not in source] == []
    assert all(known.about and known.recognise for known in known_layouts().values())
