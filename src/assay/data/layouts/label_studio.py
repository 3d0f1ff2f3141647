"""How Label Studio's tasks hold annotations: the one place that knows it.

A full export (JSON) has `data` and `annotations`; a short one (JSON-MIN) the fields, with each choice as a column.
Knows no study and no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


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


def as_list(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
