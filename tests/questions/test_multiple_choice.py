"""Questions read from every layout or refused with the line, asked to the letter, and graded by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.questions.choice_files import read_choices
from assay.questions.multiple_choice import Asked, multiple_choice
from assay.questions.task import Question, credit
from assay.stats.unknown import Unknown
from tests.questions.written import HEADED, examples
from tests.support.real_data import real


def test_letters_are_asked_for_as_lm_evaluation_harness_does(tmp_path: Path) -> None:
    questions, shots = examples(tmp_path)
    task = multiple_choice(questions, shots_from=shots, shots=2)
    second = {question.subject: question for question in task.items()}["high_school_biology"]
    assert second.header == (
        "The following are multiple choice questions (with answers) about high school biology.\n\n"
        "Which barks?\nA. Cat\nB. Dog\nC. Cow\nD. Ant\nAnswer: B\n\n"
        "Which is?\nA. a\nB. b\nC. c\nD. d\nAnswer: D\n\n"
    )
    assert second.prompt == "Which swims?\nA. Fish\nB. Stone\nC.  Table \nD. Tree\nAnswer:"
    assert second.continuations == (" A", " B", " C", " D")
    assert second.right == (0,)


def test_texts_are_asked_for_as_mmlu_continuation_does(tmp_path: Path) -> None:
    questions, shots = examples(tmp_path)
    first = multiple_choice(questions, shots_from=shots, shots=1, asked="text").items()[0]
    assert first.header == (
        "The following are questions (with answers) about anatomy.\n\nQuestion: Which hand?\nAnswer: Left\n\n"
    )
    assert first.prompt == "Question: Where is the heart?\nAnswer:"
    assert first.continuations == (" Head", " Hand", " Chest", " Foot")


@pytest.mark.parametrize(
    ("asked", "grade"),
    [
        ("letter", 0.0),  # -3 is the best of -3, -4, -5, -9: the first choice, and the third is right
        ("text", 0.0),
        ("text by length", 1.0),  # -3/4, -4/4, -5/10, -9/4: the third is best
    ],
)
def test_grades_by_hand(tmp_path: Path, asked: Asked, grade: float) -> None:
    row = {"question": "Where?", "choices": ["Head", "Hand", "Chest bone", "Foot"], "answer": "C", "subject": "anatomy"}
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(row))
    task = multiple_choice(path, asked=asked)
    assert task.grade(task.items()[0], (-3.0, -4.0, -5.0, -9.0)) == grade


@pytest.mark.parametrize(("values", "first", "share", "wrong"), [((0, 0, -1), 1, 0.5, 0), ((-1, 0, 0), 0, 0.5, 0)])
def test_ties_by_hand(values: tuple[float, ...], first: float, share: float, wrong: float) -> None:
    """Right are the first and the last: each tie is between a right and a wrong choice."""
    question = Question(id="q", subject="s", prompt="?", choices=("a", "b", "c"), right=(0, 2))
    assert credit(values, question, ties="first") == first
    assert credit(values, question, ties="share") == share
    assert credit(values, question, ties="wrong") == wrong
    assert [credit((1, 0, 1), question, ties=ties) for ties in ("first", "share", "wrong")] == [1, 1, 1]  # type: ignore[arg-type]


def test_no_value_no_grade() -> None:
    question = Question(id="q", subject="s", prompt="?", choices=("a", "b"), right=(0,))
    assert credit((0.0, float("nan")), question, ties="first") == Unknown("the value of choice 2 is not finite: nan")
    assert credit((Unknown("too long"), 1.0), question, ties="first") == Unknown("choice 1 has no value: too long")
    with pytest.raises(InputError, match="question q has 2 choices and 3 values"):
        credit((0.0, 1.0, 2.0), question, ties="first")


def rows(path: Path, text: str) -> list[tuple[str, str, tuple[str, ...], tuple[int, ...]]]:
    path.write_text(text)
    return [(row.id, row.subject, row.options, row.right) for row in read_choices(path)]


def test_four_five_and_two_right_are_read(tmp_path: Path) -> None:
    assert rows(tmp_path / "law_val.csv", 'Which?,a,b,c,d,e,E\n"On\ntwo lines?",a,b,c,d,e,A\nLast?,a,b,c,d,e,b\n') == [
        ("law_val:1", "law", ("a", "b", "c", "d", "e"), (4,)),
        ("law_val:2", "law", ("a", "b", "c", "d", "e"), (0,)),
        ("law_val:4", "law", ("a", "b", "c", "d", "e"), (1,)),
    ]
    text = '{"question": "Which?", "choices": ["a", "b", "c", "d"], "answer": ["C", 0]}\n'
    other = '{"id": 7, "subject": "law", "question": "Which?", "choices": ["a", "b"], "answer": 1}\n'
    assert rows(tmp_path / "art_test.jsonl", text + other) == [
        ("art_test:1", "art", ("a", "b", "c", "d"), (0, 2)),
        ("7", "law", ("a", "b"), (1,)),
    ]


def test_a_question_written_out_is_taken_apart(tmp_path: Path) -> None:
    asked = "The following are multiple choice questions (with answers) about  law.\n\n"
    body = "Of these\nA. one\nB. two\nwhich?\nA. first\nB. two\nlines\nC. neither\nAnswer:"
    path = tmp_path / "val.json"
    path.write_text(json.dumps({"subject": "law", "input": asked + body, "output": "C"}))
    (row,) = read_choices(path)
    assert row.question == "Of these\nA. one\nB. two\nwhich?"
    assert (row.options, row.right) == (("first", "two\nlines", "neither"), (2,))
    (question,) = multiple_choice(path).items()
    assert question.prompt == body


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", HEADED + "Q?,a,b,c,1\n", "a.csv:2: 5 fields under 6 columns"),
        ("a.csv", HEADED + "Q?,a,b,c,d,1\nQ, or?,a,b,c,d,1\n", "a.csv:3: 7 fields under 6 columns"),
        ("a.csv", "Q?,a,b,c,d,A\nQ, or?,a,b,c,d,A\n", "a.csv:2: 7 fields under 6 columns"),
        ("a.csv", "Q?,A\n", "a.csv:1: no choices; a question has at least 2"),
        ("a.csv", "Q?,a,A\n", "a.csv:1: 1 choice; a question has at least 2"),
        ("a.csv", "Q?\n", "a.csv:1: 1 fields under 2 columns"),
        ("a.csv", "Q?,a,b,c,d,AC\n", "a.csv:1: the answer is 'AC'; expected a letter"),
        ("a.csv", "Q?,a,b,c,d,2\n", "a.csv:1: the answer is '2'; expected a letter"),
        ("a.csv", "Q?,a,b,c,d,E\n", "a.csv:1: choice 5 is said to be right and there are 4"),
        ("a.csv", HEADED + "Q?,a,b,c,d,4\n", "a.csv:2: choice 5 is said to be right and there are 4"),
        ("a.csv", HEADED + "Q?,a,,c,d,0\n", "a.csv:2: choice B is empty"),
        ("a.csv", HEADED + " ,a,b,c,d,0\n", "a.csv:2: the question is empty"),
        ("a.csv", "question,choice0,choice1\nQ?,a,b\n", "a.csv:2: no column 'answer'"),
        ("a.csv", "", "a.csv: no questions in this file"),
        ("a.csv", HEADED, "a.csv: no questions in this file"),
        ("a.jsonl", '{"question": "Q?", "choices": [], "answer": 0}', "a.jsonl:1: no choices"),
        ("a.jsonl", '{"question": "Q?", "answer": 0}', "a.jsonl:1: choices should be a list of texts"),
        ("a.jsonl", '{"choices": ["a", "b"], "answer": 0}', "a.jsonl:1: no text under 'question'"),
        ("a.jsonl", '{"question": "Q?", "choices": ["a", "b"]}', "a.jsonl:1: the answer is None"),
        ("a.jsonl", '{"question": "Q?", "choices": ["a", "b"], "answer": true}', "a.jsonl:1: the answer is True"),
        ("a.jsonl", '{"question": "Q?", "choices": ["a", "b"], "answer": -1}', "choice 0 is said to be right"),
        ("a.jsonl", '{"question": "Q?", "choices": ["a", "b"], "answer": []}', "a.jsonl:1: no choice is right"),
        ("a.jsonl", '{"question": "Q?", "choices": ["a", "b"], "answer": [0, 1]}', "a.jsonl:1: every choice is right"),
        ("a.jsonl", '{"question": "Q?", "choices": ["a", "b", "c"], "answer": [0, "A"]}', "right twice"),
        ("a.jsonl", '{"input": "Q?\\nAnswer:", "output": "A"}', "a.jsonl:1: no choices"),
        ("a.jsonl", '{"input": "Q?\\nA. a\\nC. c\\nAnswer:", "output": "A"}', "are not A, B, C, ... in order"),
        ("a.jsonl", "[1]", "a.jsonl:1: not a JSON object"),
        ("a.txt", "Q?", "a.txt: .txt is not read"),
    ],
)
def test_what_is_no_question_is_refused_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        read_choices(tmp_path / name)
    assert said in str(error.value)


def test_too_few_examples_and_empty_folders_are_refused(tmp_path: Path) -> None:
    questions, shots = examples(tmp_path)
    with pytest.raises(InputError, match="has 2 solved examples of anatomy; 5 are asked for"):
        multiple_choice(questions, shots_from=shots)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no questions here"):
        multiple_choice(tmp_path / "none")


def test_two_questions_of_one_id_are_refused(tmp_path: Path) -> None:
    row = {"id": "q", "question": "Q?", "choices": ["a", "b"], "answer": 0}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row))
    with pytest.raises(InputError, match="two questions have the id 'q'"):
        multiple_choice(tmp_path / "a.jsonl")


@pytest.mark.parametrize(("split", "count"), [("test", 14_042), ("val", 1_531), ("dev", 285)])
def test_nothing_of_mmlu_is_lost(split: str, count: int) -> None:
    task = multiple_choice(real("mmlu") / split, shots_from=real("mmlu") / "dev")
    questions = task.items()
    assert len(questions) == len({question.id for question in questions}) == count
    assert len({question.subject for question in questions}) == 57
    assert len({question.header for question in questions}) == 57
    assert {len(question.choices) for question in questions} == {4}
    assert {len(question.right) for question in questions} == {1}


def test_mmlu_is_written_out_as_others_wrote_it() -> None:
    """The published prompts of the validation split, taken apart and put together again."""
    path = real("mmlu") / "val" / "zero_shot_mmlu_val.json"
    published = [json.loads(line)["input"] for line in path.read_text(encoding="utf-8").splitlines()]
    same = 0
    for question, text in zip(multiple_choice(path).items(), published, strict=True):
        assert isinstance(question.prompt, str)
        body = text.partition("\n\n")[2]
        assert question.prompt == body.lstrip() or question.prompt.split() == body.split()
        same += question.prompt == body
    assert same > 1_400
