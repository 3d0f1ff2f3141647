"""Questions whose answers are right or wrong, put the same way to models and to rewards, and graded."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.questions.best_of import best_of
    from assay.questions.mean_grade import mean_grade
    from assay.questions.multiple_choice import multiple_choice
    from assay.questions.task import Question, Task, grade_all

__all__ = ["Question", "Task", "best_of", "grade_all", "mean_grade", "multiple_choice"]
__getattr__ = door(
    __name__,
    {
        "Question": "assay.questions.task",
        "Task": "assay.questions.task",
        "best_of": "assay.questions.best_of",
        "grade_all": "assay.questions.task",
        "mean_grade": "assay.questions.mean_grade",
        "multiple_choice": "assay.questions.multiple_choice",
    },
)
