"""Label Studio's labelling configuration, tasks and exports. Knows its formats; knows no study's database.

Its Pairwise tag has no tie, so Choices stand beside it. Its exports name a pairwise region's object as the control
itself or as its two texts; only the control's name is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from assay.study.exchange.forms import FIELDS, Form, Reply, Task, as_choice, as_rating
from assay.study.exchange.json_files import json_rows
from assay.study.study_records import LABELS, Rating

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


def tasks_file(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Tasks to import, in the order to judge them."""
    return [{"data": {name: getattr(task, name) for name in (*FIELDS, "showing", "study")}} for task in tasks]


def result(choice: str, comment: str, ratings: Mapping[str, str], aspects: Sequence[str]) -> list[dict[str, Any]]:
    """A vote as the regions of an annotation."""
    if choice in ("left", "right"):
        region: dict[str, Any] = {"from_name": COMPARISON, "to_name": COMPARISON, "type": "pairwise"}
        found = [{**region, "value": {"selected": choice}}]
    else:
        found = [_region(OTHERWISE, "choices", [choice])]
    for number, aspect in enumerate(aspects, start=1):
        if aspect in ratings:
            found.append(_region(f"{ASPECT}{number}", "choices", [ratings[aspect]]))
    return [*found, _region(COMMENT, "textarea", [comment], "text")] if comment else found


def _region(name: str, type: str, value: list[str], key: str = "choices") -> dict[str, Any]:  # noqa: A002
    return {"from_name": name, "to_name": "prompt", "type": type, "value": {key: value}}


def read_replies(path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]:
    """Every annotation of an export, full (JSON) or short (JSON-MIN), and every task without one."""
    for number, row in enumerate(json_rows(path), start=1):
        where = f"{path}: task {row.get('id', number)}"
        if "annotations" in row:
            yield from _full(row, where, aspects)
        elif "data" in row:
            yield _nothing(row["data"], where, "not_judged", "the task has no annotation")
        else:
            yield _short(row, where, aspects)


def _full(row: Mapping[str, Any], where: str, aspects: Sequence[str]) -> Iterator[Reply]:
    data = row.get("data") if isinstance(row.get("data"), Mapping) else {}
    annotations = [one for one in row["annotations"] or [] if isinstance(one, Mapping)]
    if not annotations:
        yield _nothing(data or {}, where, "not_judged", "the task has no annotation")
    for one in sorted(annotations, key=lambda one: str(one.get("created_at") or "")):
        controls: dict[str, list[Any]] = {}
        for part in one.get("result") or []:
            if isinstance(part, Mapping) and isinstance(part.get("value"), Mapping):
                value = part["value"]
                found = value.get("selected", value.get("choices", value.get("text")))
                controls.setdefault(str(part.get("from_name")), []).extend(found if type(found) is list else [found])
        person = one.get("completed_by")
        yield _reply(
            data or {},
            f"{where}, annotation {one.get('id', '?')}",
            controls,
            aspects,
            {"person": person, "seconds": one.get("lead_time"), "skipped": bool(one.get("was_cancelled"))},
        )


def _short(row: Mapping[str, Any], where: str, aspects: Sequence[str]) -> Reply:
    """JSON-MIN: one row an annotation, each control a column; skipped ones are not told apart from empty ones."""
    controls: dict[str, list[Any]] = {}
    for name in (COMPARISON, OTHERWISE, COMMENT, *(f"{ASPECT}{n}" for n in range(1, len(aspects) + 1))):
        values = row.get(name)
        for value in values if isinstance(values, list) else [values]:
            found = value.get("selected") if isinstance(value, Mapping) else value
            if found not in (None, ""):
                controls.setdefault(name, []).append(found)
    return _reply(row, where, controls, aspects, {"person": row.get("annotator"), "seconds": row.get("lead_time")})


def _reply(
    data: Mapping[str, Any],
    where: str,
    controls: Mapping[str, list[Any]],
    aspects: Sequence[str],
    about: Mapping[str, Any],
) -> Reply:
    said = [*controls.get(COMPARISON, []), *controls.get(OTHERWISE, [])]
    empty = _nothing(data, where, "", "", person=_person(about["person"]))
    if about.get("skipped"):
        return replace(empty, why="skipped", detail="the annotation was skipped in Label Studio")
    if not said:
        return replace(empty, why="no_choice", detail="submitted without a choice")
    if len(set(map(str, said))) > 1:
        told = " and ".join(map(repr, said))
        return replace(empty, why="contradiction", detail=f"{told} in one annotation")
    choice = as_choice(said[0])
    if choice is None:
        return replace(empty, why="unknown_choice", detail=f"{said[0]!r:.60} is no choice of a study")
    ratings: dict[str, Rating] = {}
    for number, aspect in enumerate(aspects, start=1):
        for word in controls.get(f"{ASPECT}{number}", [])[:1]:
            rating = as_rating(word)
            if rating is not None:
                ratings[aspect] = rating
    seconds = about["seconds"]
    timed = isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0
    return replace(
        empty,
        choice=choice,
        comment="\n".join(map(str, controls.get(COMMENT, []))),
        ratings=ratings,
        ms=round(seconds * 1000) if timed else None,
    )


def _nothing(data: Mapping[str, Any], where: str, why: str, detail: str, *, person: str | None = None) -> Reply:
    return Reply(
        where=where,
        study=_text(data.get("study")),
        showing=_text(data.get("showing")),
        choice=None,
        why=why,
        detail=detail,
        person=person,
        texts={name: str(data[name]) for name in FIELDS if data.get(name) is not None},
    )


def _person(value: Any) -> str | None:
    found = value.get("email", value.get("id")) if isinstance(value, Mapping) else value
    return _text(found)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
