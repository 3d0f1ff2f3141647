"""Writes tasks, judged items and the labelling configuration for Label Studio, and reads people's replies back.

Its Pairwise tag has no tie, so Choices stand beside it. Its exports name a pairwise region's object as the control
itself or as its two texts; only the control's name is read. Knows no study's database.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from assay.data.layouts.label_studio import annotations_of, person
from assay.study.exchange.tools.task_form import FIELDS, Form, Reply, Task, as_choice, ratings_of, text_or_none
from assay.study.exchange.tools.tool_rows import tool_rows
from assay.study.study_records import LABELS

COMPARISON, OTHERWISE, COMMENT, ASPECT = "comparison", "otherwise", "comment", "aspect_"


def configuration(form: Form) -> str:
    """The labelling configuration of a study, to paste into a project's settings."""
    lines = [
        "<View>",
        f"  <Header value={quoteattr(form.question)}/>",
        '  <Text name="prompt" value="$prompt" valueType="text"/>',
        f'  <Pairwise name="{COMPARISON}" toName="left,right"/>',
        f'  <Header value={quoteattr(LABELS["left"])} size="5"/>',
        '  <Text name="left" value="$left" valueType="text"/>',
        f'  <Header value={quoteattr(LABELS["right"])} size="5"/>',
        '  <Text name="right" value="$right" valueType="text"/>',
        '  <Header value="If neither answer is better, choose none of them above and say:" size="5"/>',
        f'  <Choices name="{OTHERWISE}" toName="prompt" choice="single-radio" required="false">',
        *(f'    <Choice value="{word}"/>' for word in ("tie", "both_bad", "abstain")),
        "  </Choices>",
    ]
    for number, aspect in enumerate(form.aspects, start=1):
        lines += [
            f'  <Header value={quoteattr(f"Which answer is better: {aspect}?")} size="5"/>',
            f'  <Choices name="{ASPECT}{number}" toName="prompt" choice="single-radio" required="false">',
            *(f'    <Choice value="{word}"/>' for word in ("left", "tie", "right")),
            "  </Choices>",
        ]
    if form.comments:
        lines.append(
            f'  <TextArea name="{COMMENT}" toName="prompt" rows="2" maxSubmissions="1" required="false" '
            'placeholder="Comment, if you like"/>'
        )
    return "\n".join([*lines, "</View>", ""])


def tasks_file(tasks: Sequence[Task]) -> list[dict[str, object]]:
    """Tasks to import, in the order to judge them."""
    return [{"data": {name: getattr(task, name) for name in (*FIELDS, "showing", "study")}} for task in tasks]


def result(choice: str, comment: str, ratings: Mapping[str, str], aspects: Sequence[str]) -> list[dict[str, object]]:
    """A vote as the regions of an annotation."""
    if choice in ("left", "right"):
        region: dict[str, object] = {"from_name": COMPARISON, "to_name": COMPARISON, "type": "pairwise"}
        found = [{**region, "value": {"selected": choice}}]
    else:
        found = [_region(OTHERWISE, "choices", [choice])]
    for number, aspect in enumerate(aspects, start=1):
        if aspect in ratings:
            found.append(_region(f"{ASPECT}{number}", "choices", [ratings[aspect]]))
    return [*found, _region(COMMENT, "textarea", [comment], "text")] if comment else found


def _region(name: str, type: str, value: list[str], key: str = "choices") -> dict[str, object]:  # noqa: A002
    return {"from_name": name, "to_name": "prompt", "type": type, "value": {key: value}}


def judged_task(data: Mapping[str, str], annotations: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """A task with its annotations, as an export of a project holds it."""
    return {"data": dict(data), "annotations": list(annotations)}


def judged(result: Sequence[Mapping[str, object]], *, number: int, ms: int | None) -> dict[str, object]:
    """The finished annotation of the person of this number."""
    timed = {} if ms is None else {"lead_time": ms / 1000}
    return {"result": list(result), "completed_by": number, "was_cancelled": False, **timed}


def read_replies(path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]:
    """Every annotation of an export, full (JSON) or short (JSON-MIN), and every task without one."""
    for number, (row, _) in enumerate(tool_rows(path), start=1):
        where = f"{path}: task {row.get('id', number)}"
        if "annotations" in row:
            yield from _full(row, where, aspects)
        elif "data" in row:
            yield _nothing(_object(row["data"]), where, "not_judged", "the task has no annotation")
        else:
            yield _short(row, where, aspects)


def _full(row: Mapping[str, object], where: str, aspects: Sequence[str]) -> Iterator[Reply]:
    data, given = _object(row.get("data")), annotations_of(row)
    if not given:
        yield _nothing(data, where, "not_judged", "the task has no annotation")
    # As they were made: where one person judged a task twice the first vote stands, as on the study's own pages.
    for one in sorted(given, key=lambda one: one.created):
        controls: dict[str, list[object]] = {}
        for region in one.regions:
            value = region.value
            said = value.get("selected", value.get("choices", value.get("text")))
            controls.setdefault(region.control, []).extend(said if isinstance(said, list) else [said])
        empty = _nothing(data, f"{where}, annotation {'?' if one.id is None else one.id}", "", "", person=one.person)
        if one.skipped:
            yield replace(empty, why="skipped", detail="the annotation was skipped in Label Studio")
        else:
            yield _reply(empty, controls, aspects, seconds=one.seconds)


def _short(row: Mapping[str, object], where: str, aspects: Sequence[str]) -> Reply:
    """JSON-MIN: one row an annotation, each control a column; skipped ones are not told apart from empty ones."""
    names = (COMPARISON, OTHERWISE, COMMENT, *(f"{ASPECT}{number}" for number in range(1, len(aspects) + 1)))
    controls = {name: _short_values(row.get(name)) for name in names}
    empty = _nothing(row, where, "", "", person=person(row.get("annotator")))
    return _reply(empty, controls, aspects, seconds=row.get("lead_time"))


def _short_values(given: object) -> list[object]:
    """What one column says: a value, an object with what is selected, or a list of them; empty where nothing."""
    values = given if isinstance(given, list) else [given]
    found = [value.get("selected") if isinstance(value, Mapping) else value for value in values]
    return [value for value in found if value not in (None, "")]


def _reply(empty: Reply, controls: Mapping[str, Sequence[object]], aspects: Sequence[str], *, seconds: object) -> Reply:
    """What the controls of one annotation say together."""
    said = [*controls.get(COMPARISON, ()), *controls.get(OTHERWISE, ())]
    if not said:
        return replace(empty, why="no_choice", detail="submitted without a choice")
    if len(set(map(str, said))) > 1:
        return replace(empty, why="contradiction", detail=f"{' and '.join(map(repr, said))} in one annotation")
    choice = as_choice(said[0])
    if choice is None:
        return replace(empty, why="unknown_choice", detail=f"{said[0]!r:.60} is no choice of a study")
    ms = round(seconds * 1000) if isinstance(seconds, int | float) and 0 <= seconds < math.inf else None
    return replace(
        empty,
        choice=choice,
        comment="\n".join(map(str, controls.get(COMMENT, ()))),
        ratings=ratings_of(aspects, lambda number, _: next(iter(controls.get(f"{ASPECT}{number}", ())), None)),
        ms=ms,
    )


def _nothing(data: Mapping[str, object], where: str, why: str, detail: str, *, person: str | None = None) -> Reply:
    return Reply(
        where=where,
        study=text_or_none(data.get("study")),
        showing=text_or_none(data.get("showing")),
        choice=None,
        why=why,
        detail=detail,
        person=person,
        texts={name: str(data[name]) for name in FIELDS if data.get(name) is not None},
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
