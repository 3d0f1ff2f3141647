"""Answers that are none, sampling that cannot be, files of answers there and back, and how a policy is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assay.artifacts.files import sha256_file, write_jsonl
from assay.errors import ConfigError, InputError
from assay.policies import open_policy
from assay.policies.answer_files import answer_rows, read_answers
from assay.policies.protocol import Finish, Generation, Generations, Made, Prompt, Sampling, generate, generated
from assay.policies.recorded_answers import RecordedPolicy
from assay.records import Message
from assay.stats.unknown import Unknown
from assay.study.plan.generation_files import read_generations

ASKED = Sampling()
MADE = Made(
    policy="tuned", fingerprint="sha256:1", template="sha256:2", sampling=Sampling(max_tokens=9, seed=4, stop=("###",))
)
CHAT = (Message(role="user", content="May I?"),)
ANSWERED = (
    Generations(
        prompt_id="a",
        prompt="Say a word.",
        answers=(
            generated("Word.", finish="stop", tokens=3, seed=40),
            Generation(text=Unknown("the server did not answer"), finish="error"),
            generated(" \n", finish="stop", tokens=1),
        ),
        made=MADE,
    ),
    Generations(prompt_id="b", prompt=CHAT, answers=(generated("Yes.", finish="length"),) * 3, made=MADE),
)
PROMPTS = [Prompt(id="a", text="Say a word."), Prompt(id="b", text=CHAT)]


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_text_is_never_an_answer(text: str) -> None:
    assert generated(text).text == Unknown("the answer is empty")
    with pytest.raises(ValueError, match="no answer"):
        Generation(text=text)
    with pytest.raises(ValueError, match="no reason"):
        Generation(text=Unknown(text))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.1}, "top_p is 1.1"),
        ({"stop": ("a", "")}, "stop holds an empty text"),
    ],
)
def test_sampling_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        replace(ASKED, **change)  # type: ignore[arg-type]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "answers.jsonl", answer_rows(ANSWERED))
    policy = RecordedPolicy(tmp_path / "answers.jsonl")
    assert policy.name == "tuned"
    assert policy.fingerprint == sha256_file(policy.path)
    first, second = generate(policy, PROMPTS, 3, ASKED)
    assert second == ANSWERED[1]
    assert first.made == MADE
    assert first == replace(ANSWERED[0], answers=first.answers)
    assert first.answers == ANSWERED[0].answers
    assert first.texts == ("Word.",)


def test_answers_that_are_not_recorded_say_so(tmp_path: Path) -> None:
    policy = open_policy(lines(tmp_path / "base.jsonl", {"id": "a", "prompt": "Say a word.", "answer": "Word."}))
    first, second = generate(policy, PROMPTS, 2, ASKED)
    assert [answer.text for answer in first.answers] == [
        "Word.",
        Unknown(f"{tmp_path / 'base.jsonl'} has 1 recorded answers to this prompt"),
    ]
    assert {answer.text for answer in second.answers} == {
        Unknown(f"{tmp_path / 'base.jsonl'} has no recorded answers to this prompt")
    }
    silent = Unknown(f"{tmp_path / 'base.jsonl'} does not say")
    assert first.made == Made(policy="base", fingerprint=policy.fingerprint, template=silent, sampling=silent)


def test_answers_made_in_several_ways_do_not_claim_one(tmp_path: Path) -> None:
    hot = replace(MADE, sampling=Sampling(temperature=2.0))
    rows = [*answer_rows(ANSWERED[1:]), *answer_rows([replace(ANSWERED[1], made=hot)])]
    write_jsonl(tmp_path / "answers.jsonl", rows)
    policy = RecordedPolicy(tmp_path / "answers.jsonl")
    assert policy.generate(PROMPTS[1:], 3, ASKED)[0].made == MADE
    assert isinstance(policy.generate(PROMPTS[1:], 4, ASKED)[0].made.sampling, Unknown)


def test_one_id_is_one_prompt(tmp_path: Path) -> None:
    one, two = {"id": "a", "prompt": "One", "answer": "1"}, {"id": "a", "prompt": "Two", "answer": "2"}
    path = lines(tmp_path / "base.jsonl", one, two)
    with pytest.raises(InputError, match=r'base.jsonl:2: prompt "a" reads "Two", but in line 1 it reads "One"'):
        RecordedPolicy(path).generate(PROMPTS, 1, ASKED)
    path = lines(tmp_path / "base.jsonl", one)
    with pytest.raises(InputError, match=r'base.jsonl:1: prompt "a" reads "One", but asked is "Say a word."'):
        RecordedPolicy(path).generate(PROMPTS, 1, ASKED)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"policy": "x"}, "fingerprint: "),
        ({"policy": "x", "fingerprint": "y", "template": "none", "sampling": {"top_p": 7}}, "top_p is 7"),
    ],
)
def test_how_answers_were_made_is_read_or_refused(tmp_path: Path, made: dict[str, object], said: str) -> None:
    path = lines(tmp_path / "base.jsonl", {"id": "a", "prompt": "One", "answer": "1", "made": made})
    with pytest.raises(InputError, match=f"base.jsonl:1: .*{said}"):
        read_answers(path)


def test_a_finish_that_assay_does_not_write_is_refused_in_its_own_files_only(tmp_path: Path) -> None:
    (row, *_) = answer_rows(ANSWERED)
    finish: Finish = "eos"  # type: ignore[assignment]
    write_jsonl(tmp_path / "own.jsonl", [{**row, "finish": finish}])
    with pytest.raises(InputError, match=r"own.jsonl:1: .*finish"):
        read_answers(tmp_path / "own.jsonl")
    path = lines(tmp_path / "other.jsonl", {"prompt": "One", "answer": "1", "finish": "eos", "tokens": [1, 2]})
    assert read_answers(path).answers[0].generation == generated("1")


def test_a_study_refuses_an_answer_that_did_not_come_by_its_reason(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "answers.jsonl", answer_rows(ANSWERED))
    with pytest.raises(InputError, match=r"answers.jsonl:2: no answer \(the server did not answer\)"):
        read_generations(tmp_path / "answers.jsonl")


def test_promises_are_held_against_a_policy() -> None:
    class Short:
        name, fingerprint = "short", "short/1"

        def generate(self, prompts: list[Prompt], n: int, sampling: Sampling) -> list[Generations]:
            return [replace(ANSWERED[1], prompt_id=prompt.id) for prompt in prompts[:1]]

    with pytest.raises(InputError, match="short answered 1 prompts, not the 2 asked"):
        generate(Short(), PROMPTS, 3, ASKED)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="short gave 3 answers to 'b'; 2 were asked for"):
        generate(Short(), PROMPTS[1:], 2, ASKED)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="0 answers to each prompt"):
        generate(Short(), PROMPTS, 0, ASKED)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Two prompts have the id 'a'"):
        generate(Short(), PROMPTS[:1] * 2, 1, ASKED)  # type: ignore[arg-type]


def test_a_policy_is_named_by_a_file_or_a_kind(tmp_path: Path) -> None:
    path = lines(tmp_path / "base", {"prompt": "One", "answer": "1", "system": "ours"})
    assert [open_policy(text).name for text in (path, str(path), f"recorded:{path}")] == ["ours"] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vllm:qwen", r"vllm:qwen: no policy of kind 'vllm'. Kinds: adapter:\.\.\., endpoint:"),
        ("missing.jsonl", "missing.jsonl: no such file"),
        ("recorded:missing", "missing: no such file"),
        ("", "no policy. Give a model"),
    ],
)
def test_what_names_no_policy_is_refused_with_the_kinds(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_policy(text)
