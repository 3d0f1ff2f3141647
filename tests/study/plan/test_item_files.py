"""Generation files and pairs: what fits becomes items, what does not is named with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.records import Message
from assay.study.config import StudyConfig
from assay.study.plan.generation_files import items_from_generations, read_generations
from assay.study.plan.pair_files import items_from_pairs

REFUSE = StudyConfig()
ASIDE = StudyConfig(unmatched="set_aside", empty="set_aside")


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def rows(answers: list[str], *, ids: bool = True) -> list[dict[str, str]]:
    return [{**({"id": f"p{n}"} if ids else {}), "prompt": f"prompt {n}", "answer": a} for n, a in enumerate(answers)]


def both(tmp_path: Path, base: list[object], tuned: list[object]):  # type: ignore[no-untyped-def]
    return [
        read_generations(write(tmp_path / "base.jsonl", base)),
        read_generations(write(tmp_path / "tuned.jsonl", tuned)),
    ]


def test_rows_match_by_id_in_any_order_and_the_file_names_the_system(tmp_path: Path) -> None:
    files = both(tmp_path, rows(["a", "b"]), list(reversed(rows(["x", "y"]))))
    items, aside = items_from_generations(files, config=REFUSE)
    assert [(i.prompt_id, i.answer_a, i.answer_b, i.system_a, i.system_b) for i in items] == [
        ("p0", "a", "x", "base", "tuned"),
        ("p1", "b", "y", "base", "tuned"),
    ]
    assert aside == []


def test_without_ids_the_prompt_text_matches(tmp_path: Path) -> None:
    items, _ = items_from_generations(both(tmp_path, rows(["a"], ids=False), rows(["x"])), config=REFUSE)
    assert [(item.prompt_id, item.prompt) for item in items] == [("prompt-1", "prompt 0")]


def test_chat_messages_are_read_on_both_sides(tmp_path: Path) -> None:
    prompt = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello?"}]
    row = {"prompt": prompt, "completion": [{"role": "assistant", "content": "Hi."}]}
    items, _ = items_from_generations(both(tmp_path, [row], [{**row, "completion": "Hey."}]), config=REFUSE)
    assert [turn.role for turn in items[0].prompt] == ["system", "user"]  # type: ignore[union-attr]
    assert (items[0].answer_a, items[0].answer_b) == ("Hi.", "Hey.")


def test_three_systems_give_every_pair(tmp_path: Path) -> None:
    files = [read_generations(write(tmp_path / f"{s}.jsonl", rows([s, s + "2"]))) for s in "xyz"]
    items, _ = items_from_generations(files, config=REFUSE)
    assert [(i.system_a, i.system_b) for i in items] == [("x", "y"), ("x", "z"), ("y", "z")] * 2


def test_prompts_that_not_every_file_answers_are_refused_by_name_or_set_aside(tmp_path: Path) -> None:
    files = both(tmp_path, rows(["a", "b", "c"]), rows(["x", "y"]))
    with pytest.raises(InputError, match=r'1 of 3 prompts are not in every file: "p2" \(no answer by tuned\)'):
        items_from_generations(files, config=REFUSE)
    items, aside = items_from_generations(files, config=ASIDE)
    assert len(items) == 2
    assert [(entry.prompt_id, entry.reason) for entry in aside] == [("p2", "unmatched")]


def test_files_without_a_common_prompt_say_so_even_when_asked_to_set_aside(tmp_path: Path) -> None:
    other = [{"id": "q9", "prompt": "another", "answer": "z"}]
    with pytest.raises(InputError, match="share no prompt at all"):
        items_from_generations(both(tmp_path, rows(["a"]), other), config=ASIDE)


def test_one_id_with_two_prompts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'tuned.jsonl:1: prompt "p0" reads "something else", but in .*base.jsonl:1'):
        items_from_generations(
            both(tmp_path, rows(["a"]), [{"id": "p0", "prompt": "something else", "answer": "b"}]), config=REFUSE
        )


def test_empty_answers_are_refused_by_prompt_and_system_or_set_aside(tmp_path: Path) -> None:
    files = both(tmp_path, rows(["a", " \n"]), rows(["x", "y"]))
    with pytest.raises(InputError, match=r'1 of 2 pairs cannot be judged: prompt "p1": the answer of base has no text'):
        items_from_generations(files, config=REFUSE)
    items, aside = items_from_generations(files, config=ASIDE)
    assert len(items) == 1
    assert aside[0].reason == "empty"


def test_an_answer_that_a_policy_left_empty_is_set_aside_like_any_empty_one(tmp_path: Path) -> None:
    # As `assay generate` writes it: null with its reason. Any other reason is a failure, and refused.
    made: list[object] = [{"id": "p0", "prompt": "prompt 0", "answer": None, "reason": "the answer is empty"}]
    items, aside = items_from_generations(both(tmp_path, rows(["a", "b"]), made + rows(["x", "y"])[1:]), config=ASIDE)
    assert [item.prompt_id for item in items] == ["p1"]
    assert [(entry.prompt_id, entry.reason) for entry in aside] == [("p0", "empty")]
    failed = [{**rows(["x"])[0], "answer": None, "reason": "the server did not answer"}]
    with pytest.raises(InputError, match=r"tuned.jsonl:1: no answer \(the server did not answer\)"):
        items_from_generations(both(tmp_path, rows(["a"]), failed), config=ASIDE)


def test_identical_answers_are_set_aside_as_ties_by_construction(tmp_path: Path) -> None:
    items, aside = items_from_generations(both(tmp_path, rows(["a", "same"]), rows(["x", "same "])), config=REFUSE)
    assert len(items) == 1
    assert (aside[0].prompt_id, aside[0].reason) == ("p1", "identical")
    with pytest.raises(InputError, match="same answer"):
        items_from_generations(both(tmp_path, rows(["same"]), rows(["same"])), config=StudyConfig(identical="refuse"))
    with pytest.raises(InputError, match="Nothing left to judge"):
        items_from_generations(both(tmp_path, rows(["same"]), rows(["same"])), config=REFUSE)


def test_answers_too_long_to_judge_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="60,001 characters"):
        items_from_generations(both(tmp_path, rows(["a" * 60_001]), rows(["b"])), config=REFUSE)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"base.jsonl:2: not a JSON object"),
        ("[1]", r"base.jsonl:2: not a JSON object \(the line holds a list"),
        ({"answer": "x"}, r"base.jsonl:2: no prompt. Looked for prompt, instruction, question; found answer"),
        ({"prompt": "x"}, r"base.jsonl:2: no answer. Looked for answer, completion"),
        ({"prompt": " ", "answer": "x"}, r"base.jsonl:2: the prompt is empty"),
        ({"prompt": "x", "answer": 4}, r"base.jsonl:2: the answer is a int"),
    ],
)
def test_broken_rows_are_named_by_file_and_line(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_generations(write(tmp_path / "base.jsonl", [rows(["a"])[0], row]))


def test_files_that_are_missing_empty_or_doubled_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_generations(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no rows"):
        read_generations(write(tmp_path / "empty.jsonl", []))
    with pytest.raises(InputError, match=r"base.jsonl:2: the prompt \"p0\" was answered already in line 1"):
        items_from_generations(both(tmp_path, [rows(["a"])[0]] * 2, rows(["b"])), config=REFUSE)
    one = read_generations(write(tmp_path / "base.jsonl", rows(["a"])))
    with pytest.raises(InputError, match="at least two"):
        items_from_generations([one], config=REFUSE)
    with pytest.raises(InputError, match="same system name"):
        items_from_generations([one, one], config=REFUSE)
    mixed = [{**rows(["a"])[0], "system": "x"}, {**rows(["a", "b"])[1], "system": "y"}]
    with pytest.raises(InputError, match=r"several systems \(x, y\)"):
        read_generations(write(tmp_path / "mixed.jsonl", mixed))


def test_pairs_are_read_with_and_without_system_names(tmp_path: Path) -> None:
    path = write(
        tmp_path / "pairs.jsonl",
        [
            {"prompt": "q", "chosen": "good", "rejected": "bad", "category": "c"},
            {"id": 7, "prompt": "q2", "answer_a": "one", "answer_b": "two", "system_a": "m1", "system_b": "m2"},
        ],
    )
    items, _ = items_from_pairs(path, config=REFUSE)
    assert [(i.prompt_id, i.system_a, i.system_b, i.category) for i in items] == [
        ("prompt-1", "chosen", "rejected", "c"),
        ("7", "m1", "m2", None),
    ]


def test_one_prompt_has_one_id_whatever_the_rows_are_called(tmp_path) -> None:
    rows_ = [
        {
            "id": f"pair-{n}",
            "prompt": "Same question?" if n < 3 else f"Question {n}?",
            "chosen": f"yes {n}",
            "rejected": "no",
        }
        for n in range(5)
    ]
    items, _ = items_from_pairs(write(tmp_path / "pairs.jsonl", rows_), config=REFUSE)
    assert [item.prompt_id for item in items] == ["pair-0", "pair-0", "pair-0", "pair-3", "pair-4"]
    bare = [{name: value for name, value in row.items() if name != "id"} for row in rows_]
    items, _ = items_from_pairs(write(tmp_path / "bare.jsonl", bare), config=REFUSE)
    assert [item.prompt_id for item in items] == ["prompt-1", "prompt-1", "prompt-1", "prompt-4", "prompt-5"]
    twice = [{"id": f"p{n}", "prompt": "Same question?", "answer": f"so {n}"} for n in range(2)]
    other = [{**row, "answer": "else"} for row in twice]
    items, _ = items_from_generations(both(tmp_path, twice, other), config=REFUSE)
    assert [(item.id, item.prompt_id) for item in items] == [("item-1", "p0"), ("item-2", "p0")]


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path) -> None:
    path = write(tmp_path / "base.jsonl", list(rows(["yes"])))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [row.answer for row in read_generations(path).answers] == ["yes"]


def test_a_json_array_is_read_as_its_lines_would_be(tmp_path) -> None:
    path = tmp_path / "base.json"
    path.write_text(json.dumps(rows(["yes", "no"])), encoding="utf-8")
    lines = read_generations(write(tmp_path / "base.jsonl", list(rows(["yes", "no"]))))
    assert [row.answer for row in read_generations(path).answers] == [row.answer for row in lines.answers]


def pair(**more: object) -> dict[str, object]:
    return {"prompt": "How?", "answer_a": "So.", "answer_b": "Thus.", **more}


def test_a_system_text_of_a_pair_comes_before_its_prompt(tmp_path: Path) -> None:
    items, _ = items_from_pairs(write(tmp_path / "p.jsonl", [pair(system="Be brief.")]), config=REFUSE)
    assert items[0].prompt == (Message(role="system", content="Be brief."), Message(role="user", content="How?"))


def test_an_instruction_has_its_input(tmp_path: Path) -> None:
    row = {"instruction": "Translate.", "input": "bonjour", "answer_a": "hello", "answer_b": "hi"}
    items, _ = items_from_pairs(write(tmp_path / "p.jsonl", [row, row | {"input": ""}]), config=REFUSE)
    assert [item.prompt for item in items] == ["Translate.\n\nbonjour", "Translate."]
    answers = read_generations(write(tmp_path / "g.jsonl", [{**row, "answer": "hello", "system": "base"}]))
    assert (answers.system, answers.answers[0].prompt) == ("base", "Translate.\n\nbonjour")


@pytest.mark.parametrize(
    ("field", "value"),
    [("input", "bonjour"), ("tools", [{"name": "search"}]), ("images", ["a.png"]), ("system", {"text": "Be brief."})],
)
def test_a_field_that_belongs_to_the_prompt_is_refused_by_name(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"'{field}' .* would be lost"):
        items_from_pairs(write(tmp_path / "p.jsonl", [pair(**{field: value})]), config=REFUSE)


def test_what_the_prompt_holds_anyway_is_not_lost(tmp_path: Path) -> None:
    items, _ = items_from_pairs(write(tmp_path / "p.jsonl", [pair(input="How?", tools=[])]), config=REFUSE)
    assert items[0].prompt == "How?"


def test_roles_are_mapped_or_refused_by_name(tmp_path: Path) -> None:
    turns = [{"role": "developer", "content": "Be brief."}, {"role": "human", "content": "How?"}, {"content": "Well?"}]
    items, _ = items_from_pairs(write(tmp_path / "p.jsonl", [pair(prompt=turns)]), config=REFUSE)
    assert [turn.role for turn in items[0].prompt if isinstance(turn, Message)] == ["system", "user", "user"]
    turns[0] = {"role": "ipython", "content": "1"}
    with pytest.raises(InputError, match="role 'ipython'"):
        items_from_pairs(write(tmp_path / "p.jsonl", [pair(prompt=turns)]), config=REFUSE)
