"""One way of asking: who got which question right, in line question by question. Knows grades; knows no model.

Letters: N questions that everyone answered, C choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.questions.multiple_choice import MultipleChoice
from assay.questions.task import Answered, Question, grade_all
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GradedTable:
    """after: the model's grades, (N,) of 0 and 1; before: of the one it is held against, None without one.

    left_out: questions that one of them could not read, with the reason; they are in no figure.
    """

    asked: str
    questions: tuple[Question, ...]
    after: Array
    before: Array | None
    left_out: Mapping[str, str]

    @property
    def n(self) -> int:
        return len(self.questions)

    @property
    def subjects(self) -> NDArray[np.str_]:
        return np.array([question.subject for question in self.questions], dtype=np.str_)

    @property
    def first(self) -> Array:
        """Grades of the model that must be able to do the test: the one before, or the only one."""
        return self.after if self.before is None else self.before

    def guesses(self) -> dict[str, Array]:
        """What each rule without any ability gets on each question, by the rule's name."""
        share = [len(question.right) / len(question.choices) for question in self.questions]
        rules = {"drawing a choice": np.array(share)}
        if self.asked == "letter":
            most = max(len(question.choices) for question in self.questions)
            right_CN = np.array(
                [[c in question.right for question in self.questions] for c in range(most)], dtype=float
            )
            best = int(right_CN.mean(axis=1).argmax())
            rules[f"always {chr(ord('A') + best)}"] = right_CN[best]
        return rules


def graded_table(
    task: MultipleChoice, after: Mapping[str, Answered], before: Mapping[str, Answered] | None
) -> GradedTable:
    """Both models' grades on the questions both could read."""
    graded = [grade_all(task, side) for side in ((after, before) if before is not None else (after,))]
    questions, kept, left_out = [], [], {}
    for some in zip(*graded, strict=True):
        unknown = next((one.grade for one in some if isinstance(one.grade, Unknown)), None)
        if unknown is not None:
            left_out[some[0].question.id] = unknown.reason
        else:
            questions.append(some[0].question)
            kept.append([one.grade for one in some])
    grades = np.array(kept, dtype=np.float64).reshape(len(kept), len(graded))
    return GradedTable(
        asked=task.asked,
        questions=tuple(questions),
        after=grades[:, 0],
        before=grades[:, 1] if before is not None else None,
        left_out=left_out,
    )
