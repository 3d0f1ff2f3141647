"""Label Studio's tasks -> Draft, and the one place that knows how its tasks hold annotations.

A full export (JSON) has `data` and `annotations`; a short one (JSON-MIN) the fields, with each choice as a column.
Knows no study and no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.data.layouts.columns import PROMPT_NAMES, Columns, Names, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, Outcome, Spelling
from assay.data.layouts.nested import draft_of, inner_columns, inner_spelling
from assay.data.layouts.texts import UnfitError, as_list
from assay.data.sources.row import Row


class Region(NamedTuple):
    """What one control of the labelling configuration holds: `selected` of a pair, `choices`, or `text`."""

    control: str
    value: Mapping[str, object]


class Annotation(NamedTuple):
    """One person's annotation of a task; regions in the order of the export, also of a skipped one."""

    id: object
    person: str | None
    skipped: bool
    regions: tuple[Region, ...]
    seconds: object
    created: str


def annotations_of(task: Mapping[str, object]) -> list[Annotation]:
    """The annotations of a task of a full export, in its order."""
    return [annotation(one) for one in as_list(task.get("annotations")) if isinstance(one, Mapping)]


def annotation(one: Mapping[str, object]) -> Annotation:
    regions = [part for part in as_list(one.get("result")) if isinstance(part, Mapping)]
    return Annotation(
        id=one.get("id"),
        person=person(one.get("completed_by")),
        skipped=bool(one.get("was_cancelled")),
        regions=tuple(
            Region(str(part.get("from_name")), part["value"])
            for part in regions
            if isinstance(part.get("value"), Mapping)
        ),
        seconds=one.get("lead_time"),
        created=str(one.get("created_at") or ""),
    )


def person(who: object) -> str | None:
    """An annotator's name: a number, a name, or an object with either."""
    found = who.get("email", who.get("id")) if isinstance(who, Mapping) else who
    return None if found is None else str(found)


def label_studio_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """Full export: data and annotations. Short export (JSON-MIN): the fields, and the choice as an object."""
    if {"data", "annotations"} <= set(seen):
        found = inner_columns(rows, "data", stated)
        return None if found is None else found | {"votes": "annotations", "id": found.get("id", "id")}
    chosen = {
        name for row in rows for name, value in row.data.items() if isinstance(value, Mapping) and "selected" in value
    }
    if len(chosen) != 1:
        return None
    fields = [name for name in seen if name not in chosen]
    found = find_answers(fields, stated) | find(fields, stated, "prompt", PROMPT_NAMES)
    return optional(fields, {}) | found | {"votes": chosen.pop()} if len(found) == 3 else None


def label_studio(row: Row, columns: Columns) -> Draft:
    """Annotations of a Pairwise tag: "left" is the first answer, which also stood on the left."""
    draft, words = draft_of(row.data, columns), inner_spelling(columns)
    value = columns.pick(row.data, "votes")
    if isinstance(value, Mapping):
        outcome, who = words.read(value.get("selected")), person(row.data.get("annotator"))
        draft.votes = (Ballot(outcome=outcome, annotator=who, shown_left="left"),)
        return draft
    draft.votes = tuple(
        Ballot(outcome=outcome_of(one, words), annotator=one.person, shown_left="left")
        for one in annotations_of(row.data)
    )
    if not draft.votes:
        raise UnfitError("abstention", "no annotation")
    return draft


def outcome_of(one: Annotation, words: Spelling) -> Outcome:
    """What an annotation says of the pair; skipped or without a choice it is an abstention."""
    outcome: Outcome = "abstain"
    for region in () if one.skipped else one.regions:
        if "selected" in region.value:
            outcome = words.read(region.value["selected"])
        elif (choices := as_list(region.value.get("choices"))) and outcome == "abstain":
            outcome = words.read(choices[0])
    return outcome
