"""Writes a closed study as a file with its votes in it, for a team that keeps its data in Label Studio or Argilla.

One task an item: answer a on the left, b on the right, each vote turned to that. Repeats and attention items stay out,
and editors are the pseudonyms of the anonymous export. Systems are told, as metadata: the study is over.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from assay.artifacts.files import dumps
from assay.study.exchange.new_folder import new_folder
from assay.study.exchange.pseudonyms import anonymised
from assay.study.exchange.tools import argilla_tasks, label_studio_tasks
from assay.study.exchange.tools.task_form import form_of, prompt_text
from assay.study.safe_html import visible_text
from assay.study.study_records import Choice, ClosedStudy, Item, StudyVote

Format = Literal["labelstudio", "argilla"]
TURNED: Mapping[str, Choice] = {"left": "right", "right": "left"}
TERMS = ("study", "prompt_id", "category", "system_left", "system_right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """What was written."""

    folder: Path
    items: int
    votes: int
    files: tuple[str, ...]


def write_annotated(closed: ClosedStudy, out: Path, *, format: Format, comments: bool = False) -> Annotated:  # noqa: A002
    """Write `out` as a folder: tasks with annotations and their configuration. Raises StudyError if it is there."""
    anonymous = anonymised(closed, comments=comments)
    votes = votes_by_item(anonymous)
    rows = [(item, votes[item.id]) for item in anonymous.items.values() if item.kind == "real"]
    files: dict[str, bytes]
    if format == "labelstudio":
        numbers = {editor.name: number for number, editor in enumerate(anonymous.study.editors, start=1)}
        tasks = [_label_studio(anonymous, item, found, numbers) for item, found in rows]
        configuration = label_studio_tasks.configuration(form_of(anonymous.study)).encode()
        files = {"annotated.json": dumps(tasks), "labeling.xml": configuration}
    else:
        form = form_of(anonymous.study)
        files = {
            "records.json": dumps([_argilla(anonymous, item, found, flat=False) for item, found in rows]),
            "flat.json": dumps([_argilla(anonymous, item, found, flat=True) for item, found in rows]),
            ".argilla/settings.json": dumps(argilla_tasks.settings(form, terms=TERMS)),
            ".argilla/dataset.json": dumps(argilla_tasks.dataset(f"study-{anonymous.study.id}")),
        }
    with new_folder(out) as draft:
        for name, body in files.items():
            (draft / name).parent.mkdir(exist_ok=True)
            (draft / name).write_bytes(body)
    return Annotated(folder=out, items=len(rows), votes=sum(len(found) for _, found in rows), files=tuple(files))


def votes_by_item(closed: ClosedStudy) -> dict[str, list[StudyVote]]:
    """The real votes on each item, told as if answer a had stood on the left."""
    found: dict[str, list[StudyVote]] = defaultdict(list)
    for vote in closed.votes:
        if vote.kind == "real":
            found[vote.item].append(as_a_left(vote, closed.items[vote.item]))
    return found


def as_a_left(vote: StudyVote, item: Item) -> StudyVote:
    """The vote in terms of answer a on the left."""
    if (vote.left or ("a" if vote.left_system == item.system_a else "b")) == "a":
        return vote
    return replace(
        vote,
        choice=TURNED.get(vote.choice, vote.choice),
        left="a",
        left_system=item.system_a,
        right_system=item.system_b,
        ratings={aspect: TURNED.get(word, word) for aspect, word in vote.ratings.items()},  # type: ignore[misc]
    )


def _texts(item: Item) -> dict[str, str]:
    return {
        "prompt": prompt_text(item.prompt),
        "left": visible_text(item.answer_a),
        "right": visible_text(item.answer_b),
    }


def _about(closed: ClosedStudy, item: Item) -> dict[str, str]:
    found = {"study": closed.study.id, "prompt_id": item.prompt_id, "category": item.category,
             "system_left": item.system_a, "system_right": item.system_b}  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _label_studio(
    closed: ClosedStudy, item: Item, votes: Sequence[StudyVote], numbers: Mapping[str, int]
) -> dict[str, object]:
    aspects = closed.study.aspects
    annotations = [
        label_studio_tasks.judged(
            label_studio_tasks.result(vote.choice, vote.comment, vote.ratings, aspects),
            number=numbers[vote.editor],
            ms=vote.ms,
        )
        for vote in votes
    ]
    return label_studio_tasks.judged_task({**_texts(item), **_about(closed, item), "id": item.id}, annotations)


def _argilla(closed: ClosedStudy, item: Item, votes: Sequence[StudyVote], *, flat: bool) -> dict[str, object]:
    answers: dict[str, list[argilla_tasks.Answered]] = defaultdict(list)
    for vote in votes:
        # The tool wants UUIDs: made from study and pseudonym, so that writing it again gives the same file.
        who = str(uuid.uuid5(uuid.NAMESPACE_URL, f"assay:{closed.study.id}:{vote.editor}"))
        answers[argilla_tasks.PREFERENCE].append((vote.choice, who))
        if vote.comment:
            answers[argilla_tasks.COMMENT].append((vote.comment, who))
        for number, aspect in enumerate(closed.study.aspects, start=1):
            if aspect in vote.ratings:
                answers[f"{argilla_tasks.ASPECT}{number}"].append((vote.ratings[aspect], who))
    return argilla_tasks.judged_record(
        item=item.id, texts=_texts(item), about=_about(closed, item), answers=answers, flat=flat
    )
