"""A scorer with what an attribute of the answer explains taken out of its reward: `corrected:FILE.yaml`.

The file holds the scorer, the attribute and the curve that `fit_correction` found on pairs; nothing is fitted when
answers are scored, so a reward never depends on what else is scored beside it. Source of the idea: Huang et al. 2024
(2409.17407); here the curve is fitted within prompts. A corrected scorer may be corrected again, for another attribute;
where attributes go together, `joint_correction` takes them out at once, each with the others held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from pydantic import Field, model_validator

from assay.artifacts.files import atomic_write, sha256_json
from assay.config import StageConfig, read_config_file
from assay.errors import InputError
from assay.records import Candidates, Text, plain_text
from assay.scorers.joint_correction import JointCorrection, JointlyCorrectedScorer
from assay.scorers.local_regression import Curve, within_groups
from assay.scorers.made_of import MadeOf
from assay.scorers.protocol import Reward, Scored, Scorer, score_groups, scored

FEWEST = 50  # answers; through fewer a curve is a guess
MARKS = re.compile(r"^\s*(?:#{1,6}\s|[-*+]\s|\d+[.)]\s)|\*\*|__|`+|^\s*>|\|", re.MULTILINE)


def characters(answer: Text) -> float:
    return float(len(plain_text(answer)))


def words(answer: Text) -> float:
    return float(len(plain_text(answer).split()))


def density(marks: re.Pattern[str]) -> Callable[[Text], float]:
    """Marks per 100 words of the answer, whatever its length."""

    def of(answer: Text) -> float:
        text = plain_text(answer)
        return 100.0 * len(marks.findall(text)) / max(len(text.split()), 1)

    return of


# markdown counts every kind of mark; the others one kind each, for a reward that pays for one of them alone.
ATTRIBUTES: Mapping[str, Callable[[Text], float]] = {
    "characters": characters,
    "words": words,
    "markdown": density(MARKS),
    "headers": density(re.compile(r"^\s*#{1,6}\s", re.MULTILINE)),
    "lists": density(re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)),
    "bold": density(re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")),
    "code": density(re.compile(r"```|`[^`\n]+`")),
    "exclamation": density(re.compile("!")),
}
Attribute = Literal["characters", "words", "markdown", "headers", "lists", "bold", "code", "exclamation"]


class Correction(StageConfig):
    """A file of `corrected:FILE.yaml`: what is taken off a reward, by the attribute's value."""

    scorer: str = Field(description="the scorer that is corrected, as on the command line")
    attribute: Attribute = Field("characters", description="what of the answer is taken out")
    at: list[float] = Field(min_length=1, description="values of the attribute, rising")
    value: list[float] = Field(min_length=1, description="what is taken off there; between them on a line")
    fitted_on: str | None = Field(None, description="what it was fitted on, for the record")
    answers: int | None = Field(None, description="answers it was fitted on")

    @model_validator(mode="after")
    def _is_a_curve(self) -> Correction:
        if len(self.at) != len(self.value) or sorted(set(self.at)) != self.at:
            raise ValueError("at and value are lists of one length, and at rises")
        return self


class CorrectedScorer(MadeOf):
    """`scorer` less the curve of `correction`; the reward as it was stands in `heads`."""

    def __init__(self, scorer: Scorer, correction: Correction) -> None:
        self.scorer, self.correction = scorer, correction
        self._curve = Curve(at=tuple(correction.at), value=tuple(correction.value))
        self._attribute = ATTRIBUTES[correction.attribute]

    @property
    def name(self) -> str:
        return f"{self.scorer.name} without {self.correction.attribute}"

    @property
    def parts(self) -> Mapping[str, Scorer]:
        return {self.scorer.name: self.scorer}

    @cached_property
    def fingerprint(self) -> str:
        parts = {"scorer": self.scorer.fingerprint, "attribute": self.correction.attribute}
        return sha256_json({**parts, "at": self.correction.at, "value": self.correction.value})

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return [
            tuple(self._less(result, answer) for result, answer in zip(results, group.answers, strict=True))
            for group, results in score_groups(self.scorer, groups)
        ]

    def _less(self, result: Scored, answer: Text) -> Scored:
        if not isinstance(result, Reward):
            return result
        taken = self._curve.of(self._attribute(answer))
        return scored(result.value - taken, heads={"uncorrected": result.value}, detail=result.detail)


def corrected(argument: str, opened: Callable[[str], Scorer]) -> CorrectedScorer | JointlyCorrectedScorer:
    """The corrected scorer of a YAML file: by a curve, or by several terms together where the file has `terms`.

    Raises ConfigError where it is not as `fit_correction` or `fit_joint_correction` writes it.
    """
    values = read_config_file(Path(argument))
    if "terms" in values:
        joint = JointCorrection.build(values)
        return JointlyCorrectedScorer(opened(joint.scorer), joint)
    config = Correction.build(values)
    return CorrectedScorer(opened(config.scorer), config)


def fit_correction(
    scorer: Scorer,
    groups: Sequence[Candidates],
    *,
    named: str,
    attribute: Attribute = "characters",
    span: float = 0.5,
    fitted_on: str | None = None,
) -> Correction:
    """The curve of a scorer's reward on an attribute within prompts, by local regression.

    named: the scorer as the command line names it. span: share of the answers each point of the curve is fitted to.
    Answers without a reward are left out. Raises InputError for too few answers or an attribute that does not vary.
    """
    x: list[float] = []
    y: list[float] = []
    codes: list[int] = []
    for number, (group, results) in enumerate(score_groups(scorer, groups)):
        known = [(a, r.value) for a, r in zip(group.answers, results, strict=True) if isinstance(r, Reward)]
        if len(known) > 1:  # one answer alone has a level of its own and says nothing of the curve
            x += [ATTRIBUTES[attribute](answer) for answer, _ in known]
            y += [value for _, value in known]
            codes += [number] * len(known)
    if len(x) < FEWEST:
        raise InputError(
            f"{len(x)} answers with a reward beside another of their prompt: too few to fit (at least {FEWEST}). Give "
            "more pairs."
        )
    if min(x) == max(x):
        raise InputError(f"{attribute} is the same in all {len(x)} answers, so nothing of it can be taken out.")
    codes_N = np.unique(np.asarray(codes), return_inverse=True)[1].astype(np.intp)
    curve = within_groups(np.asarray(x), np.asarray(y), codes_N, span=span)
    return Correction(
        scorer=named, attribute=attribute, at=list(curve.at), value=list(curve.value), fitted_on=fitted_on,
        answers=len(x),
    )  # fmt: skip


def write_correction(found: Correction | JointCorrection, path: Path) -> None:
    """The file that `corrected:FILE.yaml` reads."""
    with atomic_write(path) as stream:
        stream.write(yaml.safe_dump(found.model_dump(mode="json"), sort_keys=False, allow_unicode=True).encode())
