"""The same answers as lm-evaluation-harness: its own code on the same rows, log-probabilities to 1e-4, same picks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.capability.answer_file import AnswerFile
from assay.capability.questioning import HowAsked, ask
from assay.engine.named_language_model import named_language_model
from assay.models.resolve import resolve
from assay.questions.question_sets import QuestionSet, question_set
from assay.questions.task import grade_all
from tests.capability import made_models
from tests.questions.written import examples
from tests.support import bases, lm_eval_reference
from tests.support.real_data import real

SUBJECTS = ("abstract_algebra", "formal_logic", "high_school_geography", "marketing", "moral_scenarios")


def same_answers(model: str, questions: QuestionSet, kept: Path, *, chat: bool, asked: str) -> None:
    ours = named_language_model(model)
    task = questions.task("letter" if asked == "letter" else "text")
    mine = ask(ours, task, AnswerFile(kept, model), HowAsked(chat=chat))
    grades = [grade_all(task, mine)]
    if asked == "text":
        grades.append(grade_all(questions.task("text by length"), mine))
    lm = lm_eval_reference.language_model(resolve(model).folder, batch_size=4)
    for subject in dict.fromkeys(row.subject for row in questions.rows):
        rows = [row for row in questions.rows if row.subject == subject]
        solved = [row for row in questions.solved or () if row.subject == subject]
        theirs = lm_eval_reference.answered(
            lm, lm_eval_reference.mmlu_task(subject, asked, rows, solved, questions.shots), chat=chat
        )
        for row, values in zip(rows, theirs.logprobs, strict=True):
            np.testing.assert_allclose(mine[row.id], values, rtol=0, atol=1e-4, err_msg=row.id)
        for ours_graded, theirs_graded in zip(grades, (theirs.acc, theirs.acc_norm), strict=False):
            named = {one.question.id: one.grade for one in ours_graded}
            assert [named[row.id] for row in rows] == theirs_graded


@pytest.mark.parametrize("asked", ["letter", "text"])
@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("adds_bos", [False, True])
def test_same_answers_on_two_subjects(tmp_path: Path, asked: str, chat: bool, adds_bos: bool) -> None:
    test, dev = examples(tmp_path)
    model = made_models.saved(tmp_path / "model", adds_bos=adds_bos)
    questions = question_set(test, shots=2, shots_from=dev)
    same_answers(str(model), questions, tmp_path / "kept", chat=chat, asked=asked)


def test_a_template_that_writes_bos_is_given_no_second_one(tmp_path: Path) -> None:
    test, dev = examples(tmp_path)
    template = "{{ bos_token }}" + bases.CHATML
    model = made_models.saved(tmp_path / "model", adds_bos=True, template=template)
    questions = question_set(test, shots=1, shots_from=dev)
    same_answers(str(model), questions, tmp_path / "kept", chat=True, asked="letter")


@pytest.mark.parametrize(("asked", "chat"), [("letter", False), ("text", False), ("letter", True), ("text", True)])
def test_same_answers_on_five_subjects_of_mmlu(tmp_path: Path, asked: str, chat: bool) -> None:
    """Five shots before each question, two BOS ways of counting in turn; rows of up to thousands of tokens."""
    questions = question_set(real("mmlu"), shots=5, subjects=SUBJECTS, limit=3)
    model = made_models.saved(tmp_path / "model", adds_bos=chat != (asked == "text"))
    same_answers(str(model), questions, tmp_path / "kept", chat=chat, asked=asked)


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "chat"), [("letter", False), ("text", False), ("letter", True)])
def test_same_answers_of_a_real_model(tmp_path: Path, asked: str, chat: bool) -> None:
    questions = question_set(real("mmlu"), shots=5, subjects=SUBJECTS, limit=2)
    same_answers("smollm2", questions, tmp_path / "kept", chat=chat, asked=asked)
