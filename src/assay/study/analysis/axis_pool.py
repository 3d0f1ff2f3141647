"""What `assay study next --study` may ask about: a file of new comparisons, or those of closed studies again.

Comparisons that a study judged already are left out of a file, and counted. Knows files and studies; which comparisons
are worth a judgement is axis_proposals.py's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from assay.data import prompt_groups
from assay.data.config import DataConfig
from assay.data.sources.json_rows import json_objects
from assay.errors import ConfigError, InputError, StudyError
from assay.policies.row_fields import answer_of, prompt_of
from assay.records import Pair, Text, plain_text, to_json
from assay.study.analysis.axis_proposals import AxisProposal, AxisQuestion, Part
from assay.study.analysis.axis_standing import Tally, axis_votes, tallies
from assay.study.analysis.proposals import Question
from assay.study.analysis.unjudged import comparisons, margins_of, of_candidates
from assay.study.study_records import ClosedStudy, EditorKind

PROPOSED = "Write one JSON object a line, as assay study next does: prompt, answer_a, answer_b, part and axis."


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPool:
    """Comparisons that may be asked about. judged: those of the file that a study has votes on. unscored: those that a
    score file lacks or could not score."""

    questions: tuple[AxisQuestion, ...]
    judged: int = 0
    unscored: int = 0


def axis_scores(given: Sequence[str], axes: Sequence[str]) -> dict[str, list[Path]]:
    """Score files by axis, from NAME=FILE; a file without a name is of every axis. Raises ConfigError, InputError."""
    found: dict[str, list[Path]] = defaultdict(list)
    for text in given:
        # A file may have a sign of equality in its name.
        name, equals, rest = (text, "", "") if Path(text).is_file() else text.partition("=")
        path = Path(rest if equals else text)
        if equals and name not in axes:
            raise ConfigError(f"{text}: {name!r} is no axis here; there are {', '.join(axes)}.")
        if not path.is_file():
            raise InputError(
                f"{path}: no file of scores. Make one: assay score RUN@{name if equals else axes[0]} FILE."
            )
        for axis in [name] if equals else axes:
            found[axis].append(path)
    return dict(found)


def new_comparisons(
    pairs: str,
    scores: Mapping[str, Sequence[Path]],
    studies: Sequence[ClosedStudy],
    *,
    judges: Collection[EditorKind],
    config: DataConfig,
) -> AxisPool:
    """The comparisons of a file that no such judge has judged and every score file has a margin for.

    Raises InputError where none is left, and what reading raises.
    """
    several = of_candidates(pairs)
    asked = comparisons(pairs, config)
    voted = [closed.items[vote.item] for closed in studies for vote in closed.votes if vote.judge in judges]
    judged = {_texts(item.prompt, item.answer_a, item.answer_b) for item in voted}
    fresh = [pair for pair in asked if _texts(pair.prompt, pair.chosen, pair.rejected) not in judged]
    margins = {axis: [margins_of(path, candidates=several) for path in files] for axis, files in scores.items()}
    scored = [pair for pair in fresh if all(pair.id in one for files in margins.values() for one in files)]
    if not scored:
        raise InputError(
            f"{pairs}: of {len(asked)} comparisons {len(asked) - len(fresh)} are judged already and "
            f"{len(fresh)} have no score. Give comparisons that are new, and the scores of this file."
        )
    systems = ("a", "b") if several else ("chosen", "rejected")
    questions = [
        AxisQuestion(
            question=_question(pair, group),
            systems=systems,
            margins={axis: tuple(one[pair.id] for one in files) for axis, files in margins.items()},
        )
        for pair, group in zip(scored, _groups(scored, config), strict=True)
    ]
    return AxisPool(questions=tuple(questions), judged=len(asked) - len(fresh), unscored=len(fresh) - len(scored))


def judged_comparisons(
    studies: Sequence[ClosedStudy], axes: Sequence[str], *, judges: Collection[EditorKind], config: DataConfig
) -> AxisPool:
    """The comparisons of closed studies, to be asked about once more, with the votes they have by axis."""
    voted: dict[tuple[str, str], dict[str, Tally]] = defaultdict(dict)
    for axis in axes:
        for one in tallies(axis_votes(studies, axis, judges)):
            voted[one.prompt, one.item.id][axis] = one
    found = [(closed, item) for closed in studies for item in closed.items.values() if item.kind == "real"]
    pairs = [
        Pair(
            id=f"{closed.study.id}/{item.id}", prompt=item.prompt, chosen=item.answer_a, rejected=item.answer_b,
            category=item.category,
        )
        for closed, item in found
    ]  # fmt: skip
    return AxisPool(
        questions=tuple(
            AxisQuestion(
                question=_question(pair, group),
                systems=(item.system_a, item.system_b),
                tallies=voted[f"{closed.study.id}/{item.prompt_id}", item.id],
            )
            for (closed, item), pair, group in zip(found, pairs, _groups(pairs, config), strict=True)
        )
    )


def axis_row(proposal: AxisProposal) -> dict[str, object]:
    """A row that `assay study create --pairs` reads; part and axis say why it is there, and no editor sees them."""
    asked = proposal.asked
    row = {
        "id": asked.question.id,
        "prompt": to_json(asked.question.prompt),
        "answer_a": to_json(asked.question.answer_a),
        "answer_b": to_json(asked.question.answer_b),
        "system_a": asked.systems[0],
        "system_b": asked.systems[1],
        "category": asked.question.category,
        "part": proposal.part,
        "axis": proposal.axis,
        "reason": proposal.reason,
        "margins": {axis: list(values) for axis, values in asked.margins.items()} or None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _question(pair: Pair, group: str) -> Question:
    return Question(
        id=pair.id, prompt=pair.prompt, answer_a=pair.chosen, answer_b=pair.rejected, group=group, margins=(),
        category=pair.category,
    )  # fmt: skip


def _groups(pairs: Sequence[Pair], config: DataConfig) -> list[str]:
    return prompt_groups(pairs, threshold=config.near_duplicates, seed=config.seed)


def asked_parts(closed: ClosedStudy, path: Path) -> dict[str, tuple[str, str | None]]:
    """Why each comparison of a study was asked for, by item: its part and axis in the file of `assay study next`.

    Texts tell which row it is. Raises StudyError where a comparison of the study is not in the file, its part is not
    told there, or two rows tell it otherwise: an estimate from the random part would then be of something else.
    """
    stated: dict[tuple[str, frozenset[str]], tuple[object, object]] = {}
    first: dict[tuple[str, frozenset[str]], str] = {}
    for row, where in json_objects(path, holds=PROPOSED):
        texts = [answer_of(row, (name,), where) for name in ("answer_a", "answer_b")]
        compared, told = _texts(prompt_of(row, where, system="text"), *texts), (row.get("part"), row.get("axis"))
        # Twice for the same reason is once; rows of two rounds in one file may differ.
        if stated.setdefault(compared, told) != told:
            raise StudyError(
                f"{where}: the comparison of {first[compared]} once more, there for part {_told(stated[compared])}, "
                f"here for part {_told(told)}. Give the file that the study was made of, with each comparison once."
            )
        first.setdefault(compared, str(where))
    found: dict[str, tuple[str, str | None]] = {}
    unknown = []
    for item in closed.items.values():
        if item.kind != "real":
            continue
        part, axis = stated.get(_texts(item.prompt, item.answer_a, item.answer_b), (None, None))
        if part in get_args(Part):
            found[item.id] = str(part), None if axis is None else str(axis)
        else:
            unknown.append(item.prompt_id)
    if unknown:
        raise StudyError(
            f"{path}: {len(unknown)} of {len(unknown) + len(found)} comparisons of study {closed.study.id} are not in "
            f"it with a part (random, chosen), the first under prompt {unknown[0]!r}. Give the file it was made of."
        )
    return found


def of_part(closed: ClosedStudy, parts: Mapping[str, tuple[str, str | None]], part: Part) -> ClosedStudy:
    """The study as if it had asked about one part alone: its comparisons, and the votes and repeats on them.

    parts: as `asked_parts` gives them. Attention items are of no part and stay out.
    """
    items = {name: item for name, item in closed.items.items() if name in parts and parts[name][0] == part}
    return replace(closed, items=items, votes=tuple(vote for vote in closed.votes if vote.item in items))


def _told(reason: tuple[object, object]) -> str:
    part, axis = reason
    return f"{part}" if axis is None else f"{part} and axis {axis}"


def _texts(prompt: Text, one: Text, other: Text) -> tuple[str, frozenset[str]]:
    """What makes two comparisons the same: prompt and both answers, on whichever side."""
    return plain_text(prompt).strip(), frozenset((plain_text(one).strip(), plain_text(other).strip()))
