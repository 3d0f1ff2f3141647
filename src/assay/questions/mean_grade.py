"""Grades -> their mean with an interval that knows that questions of one subject, or on one prompt, are alike.

What could not be graded is counted by its reason and stands in no mean. Knows no task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assay.questions.task import Graded, Question
from assay.records import plain_text
from assay.stats.intervals import Interval, cluster_wilson
from assay.stats.unknown import Unknown

Cluster = Literal["subject", "prompt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanGrade:
    """value: mean over the n questions that have a grade. unknown: how many have none, by reason."""

    value: float | Unknown
    interval: Interval | Unknown
    n: int
    clusters: int
    unknown: Mapping[str, int]


def mean_grade(graded: Sequence[Graded], *, by: Cluster, level: float = 0.95) -> MeanGrade:
    """The mean, each question counting once, and its interval with whole clusters as the unit that varies.

    by: what questions share that are alike. Over subjects the interval speaks of other subjects too, and is wide.
    """
    grades: list[float] = []
    clusters: list[str] = []
    unknown: Counter[str] = Counter()
    for one in graded:
        if isinstance(one.grade, Unknown):
            unknown[one.grade.reason] += 1
        else:
            grades.append(one.grade)
            clusters.append(_cluster(one.question, by))
    value: float | Unknown = sum(grades) / len(grades) if grades else Unknown("no question has a grade")
    interval: Interval | Unknown = Unknown(
        f"all questions share one {by}, so nothing is known about others" if grades else "no question has a grade"
    )
    if len(set(clusters)) > 1:
        found = cluster_wilson(grades, clusters, level=level)
        interval = replace(found, method=f"Wilson, clustered by {by}") if isinstance(found, Interval) else found
    return MeanGrade(value=value, interval=interval, n=len(grades), clusters=len(set(clusters)), unknown=dict(unknown))


def by_subject(graded: Sequence[Graded], *, level: float = 0.95) -> dict[str, MeanGrade]:
    """The mean of each subject, clustered by prompt; subjects in the order in which they come."""
    rows: dict[str, list[Graded]] = {}
    for one in graded:
        rows.setdefault(one.question.subject, []).append(one)
    return {subject: mean_grade(some, by="prompt", level=level) for subject, some in rows.items()}


def _cluster(question: Question, by: Cluster) -> str:
    return question.subject if by == "subject" else question.header + plain_text(question.prompt)
