"""Label Studio's tasks -> Draft, and the one place that knows how its tasks hold annotations.

A full export (JSON) has `data` and `annotations`; a short one (JSON-MIN) the fields, with each choice as a column.
Knows no study and no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.data.layouts.columns import PROMPT_NAMES, Columns, Names, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, Outcome, Spelling, spelled
from assay.data.layouts.nested import draft_of, inner_columns, inner_spelling
from assay.data.layouts.texts import UnfitError, as_list
from assay.data.sources.row import Row
from assay.errors import InputError


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
        found = inner_columns(rows, "data", {role: name for role, name in stated.items() if role != "votes"})
        if found is None:
            return None
        return found | {"votes": f"annotations.{control(rows, stated)}", "id": found.get("id", "id")}
    chosen = {
        name for row in rows for name, value in row.data.items() if isinstance(value, Mapping) and "selected" in value
    }
    if len(chosen) > 1 and stated.get("votes") in chosen:
        chosen = {stated["votes"]}
    if len(chosen) != 1:
        return None
    fields = [name for name in seen if name not in chosen]
    found = find_answers(fields, stated) | find(fields, stated, "prompt", PROMPT_NAMES)
    return optional(fields, {}) | found | {"votes": chosen.pop()} if len(found) == 3 else None


def control(rows: Sequence[Row], stated: Mapping[str, str]) -> str:
    """The tag whose choice is the preference. Raises InputError if several could be."""
    if "votes" in stated:
        return stated["votes"].removeprefix("annotations").removeprefix(".")
    tags = {
        region.control
        for row in rows
        for one in annotations_of(row.data)
        for region in one.regions
        if "selected" in region.value or "ranker" in region.value
    }
    if len(tags) > 1:
        raise InputError(
            f"Tags with a preference here: {', '.join(sorted(tags))}. Say which to read: --columns votes={min(tags)}"
        )
    return next(iter(tags), "")


def label_studio(row: Row, columns: Columns) -> Draft:
    """Annotations of a Pairwise or Ranker tag: "left" is the first answer, which also stood on the left."""
    draft, words = draft_of(row.data, columns), inner_spelling(columns)
    value = columns.pick(row.data, "votes")
    if isinstance(value, Mapping):
        outcome, who = words.read(value.get("selected")), person(row.data.get("annotator"))
        draft.votes = (Ballot(outcome=outcome, annotator=who, shown_left="left"),)
        return draft
    tag = columns.names["votes"].partition(".")[2]
    draft.votes = tuple(
        Ballot(outcome=outcome_of(one, words, tag), annotator=one.person, shown_left="left")
        for one in annotations_of(row.data)
    )
    if not draft.votes:
        raise UnfitError("abstention", "no annotation")
    return draft


def outcome_of(one: Annotation, words: Spelling, tag: str) -> Outcome:
    """What an annotation says of the pair; skipped or without a choice it is an abstention.

    tag: the control that asks for the preference, empty where choices alone do. Raises UnfitError where one tag says
    two things.
    """
    said: set[Outcome] = set()
    chosen: Outcome = "abstain"
    for region in () if one.skipped else one.regions:
        preferred = not tag or region.control == tag
        if preferred and "selected" in region.value:
            said.add(words.read(region.value["selected"]))
        elif preferred and "ranker" in region.value:
            said.add(ranked_first(region.value["ranker"], words))
        elif (choices := as_list(region.value.get("choices"))) and chosen == "abstain":
            chosen = words.read(choices[0])
    if len(said) > 1:
        raise UnfitError("conflicting_labels", f"one annotation says {' and '.join(sorted(said))}")
    return next(iter(said), chosen)


def ranked_first(value: object, words: Spelling) -> Outcome:
    """Which answer a Ranker puts first: it holds buckets of names, the best first; bucket "_" is what was left over."""
    buckets = value if isinstance(value, Mapping) else {"rank": value}
    order = [str(name) for bucket, names in buckets.items() if bucket != "_" for name in as_list(names)]
    sides = [words.read(name) for name in order if words.knows(spelled(name))]
    if not order:
        return "abstain"
    if len(sides) < 2 or sides[0] == sides[1]:
        raise UnfitError("missing_field", f"the ranking ({', '.join(order)[:60]}) does not name both answers")
    return sides[0]
