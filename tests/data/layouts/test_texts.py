"""Chat shapes and roles: mapped, or rejected by name."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from assay.data import PairSet, read_pairs
from assay.data.candidate_files import read_candidates
from assay.errors import InputError
from assay.records import Message, Reject

USER, SAID = Message(role="user", content="How?"), Message(role="assistant", content="Go")


def read(prompt: object, chosen: object = "Go", rejected: object = "No") -> PairSet:
    return read_pairs([{"prompt": prompt, "chosen": chosen, "rejected": rejected}])


def reject(prompt: object, chosen: object = "Go", rejected: object = "No") -> Reject:
    return read(prompt, chosen, rejected).rejects[0]


@pytest.mark.parametrize("role", ["user", "human", "Human", "prompter", " User "])
def test_those_who_ask(role: str) -> None:
    assert read([{"role": role, "content": "How?"}]).pairs[0].prompt == (USER,)


@pytest.mark.parametrize("role", ["assistant", "gpt", "chatgpt", "bard", "bot", "model"])
def test_those_who_answer(role: str) -> None:
    assert read("How?", [{"role": role, "content": "Go"}]).pairs[0].chosen == (SAID,)


def test_a_developer_is_the_system() -> None:
    chat = [{"role": "developer", "content": "Be brief."}, {"from": "human", "value": "How?"}]
    assert read(chat).pairs[0].prompt == (Message(role="system", content="Be brief."), USER)


@pytest.mark.parametrize("role", ["tool", "ipython", "observation", "function", "narrator"])
def test_other_roles_are_rejected_by_name(role: str, tmp_path: Any) -> None:
    chat = [{"role": "user", "content": "How?"}, {"role": role, "content": "7"}]
    found = reject(chat)
    assert (found.reason, found.side) == ("not_text", "prompt")
    assert repr(role) in found.detail
    path = tmp_path / "candidates.jsonl"
    path.write_bytes(orjson.dumps({"prompt": chat, "answers": ["x", "y"]}))
    with pytest.raises(InputError, match=repr(role)):
        list(read_candidates(path))


def test_a_side_that_ends_with_a_question_is_no_answer() -> None:
    asked = [{"role": "assistant", "content": "Go"}, {"role": "prompter", "content": "Why?"}]
    found = reject("How?", asked)
    assert (found.reason, found.side) == ("missing_field", "chosen")


@pytest.mark.parametrize(
    "chat",
    [
        {"role": ["user", "assistant", "user"], "content": ["Hi", "Hello", "How?"]},
        {"from": ["human", "gpt", "human"], "value": ["Hi", "Hello", "How?"]},
        '{"role": ["user", "assistant", "user"], "content": ["Hi", "Hello", "How?"]}',
    ],
)
def test_a_chat_stored_as_one_object_of_lists(chat: object) -> None:
    hello = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello"))
    assert read(chat).pairs[0].prompt == (*hello, USER)


def test_lists_of_different_lengths_are_named() -> None:
    assert "2 role, 1 content" in reject({"role": ["user", "assistant"], "content": ["Hi"]}).detail


def test_content_in_parts_also_as_a_table_holds_it() -> None:
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")
    parts = numpy.array([{"type": "text", "text": "How?", "image": None}], dtype=object)
    chat = numpy.array([{"role": "user", "content": parts}], dtype=object)
    table = pandas.DataFrame([{"prompt": chat, "chosen": "Go", "rejected": "No"}])
    assert read_pairs(table).pairs[0].prompt == (USER,)
    shown = [{"role": "user", "content": [{"type": "image", "image": "a.png"}, {"type": "text", "text": "How?"}]}]
    assert "a part of type 'image'" in reject(shown).detail


def test_one_message_as_json_text() -> None:
    found = read('{"role": "user", "content": "How?"}', '{"role": "assistant", "content": "Go"}').pairs[0]
    assert (found.prompt, found.chosen) == ((USER,), (SAID,))


@pytest.mark.parametrize("text", ['{"value": 3}', '{"role": "admin", "content": "x"}', '{"role": "user"'])
def test_an_answer_may_be_json_itself(text: str) -> None:
    assert read("How?", text).pairs[0].chosen == text


@pytest.mark.parametrize("marker", ["<|im_start|>user\n", "<|start_header_id|>", "[INST] ", "<start_of_turn>user\n"])
def test_a_rendered_prompt_is_refused_by_name(marker: str) -> None:
    found = reject(f"{marker}How?")
    assert found.reason == "not_text"
    assert "rendered already" in found.detail


def test_a_side_that_goes_on_where_the_other_ends() -> None:
    def chat(*words: str) -> list[dict[str, str]]:
        return [{"role": ("user", "assistant")[n % 2], "content": word} for n, word in enumerate(words)]

    found = read_pairs([{"chosen": chat("Q1", "A1", "Q2", "A2"), "rejected": chat("Q1", "A1")}])
    assert found.rejects[0].reason == "context_mismatch"
    assert read("How?", "Yes, go", "Yes").pairs[0].rejected == "Yes"
