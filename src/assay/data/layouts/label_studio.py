"""Label Studio's tasks -> Draft, and the one place that knows how its tasks hold annotations.

A full export (JSON) has `data` and `annotations`; a short one (JSON-MIN) the fields, with each choice as a column.
Knows no study and no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from assay.data.layouts.candidate_rows import answer_text
from assay.data.layouts.columns import PROMPT_NAMES, Columns, Names, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, Outcome, Spelling, spelled
from assay.data.layouts.nested import draft_of, inner_columns, inner_spelling
from assay.data.layouts.stated_fields import name
from assay.data.layouts.texts import UnfitError, after_prompt, as_list, as_text, plain_list
from assay.data.sources.row import Row
from assay.data.text_ids import candidates_id
from assay.errors import InputError
from assay.records import Candidates, Comparison

LIST_NAMES = ("answers", "candidates", "items", "responses", "completions")


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
        told = {role: name for role, name in stated.items() if role != "votes"}
        if (listed := list_columns(rows, told)) is not None:
            return listed | {"votes": f"annotations.{control(rows, stated)}", "id": "id"}
        found = inner_columns(rows, "data", told)
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


def list_columns(rows: Sequence[Row], stated: Mapping[str, str]) -> Names | None:
    """Prompt and a list of answers, as a Ranker over a List tag asks; None where the data hold no such list."""
    inner = [inside for row in rows if isinstance(inside := row.data.get("data"), Mapping)]
    seen = list(dict.fromkeys(str(name) for fields in inner for name in fields))
    plain = {role: name.removeprefix("data.") for role, name in stated.items()}
    if plain.keys() & {"left", "right"}:
        return None
    answers = find(seen, plain, "answers", LIST_NAMES)
    if not answers or not any(plain_list(fields.get(answers["answers"])) for fields in inner):
        return None
    prompt = find([name for name in seen if name not in answers.values()], plain, "prompt", PROMPT_NAMES)
    return {role: f"data.{name}" for role, name in (prompt | answers).items()} if prompt else None


def ranked_answers(row: Row, columns: Columns) -> Candidates:
    """Any number of answers that people put in order: of every two that one of them ranked, a vote for the first."""
    pick, column = columns.pick, columns.names["answers"]
    prompt = as_text(pick(row.data, "prompt"), "prompt", columns.names["prompt"])
    items = plain_list(pick(row.data, "answers")) or ()
    answers = tuple(after_prompt(prompt, answer_text(item, f"{column}[{n}]")) for n, item in enumerate(items))
    if len(answers) < 2:
        raise UnfitError("missing_field", "one answer alone cannot be compared", "both")
    places = {str(item.get("id", n)) if isinstance(item, Mapping) else str(item): n for n, item in enumerate(items)}
    tag = columns.names["votes"].partition(".")[2]
    votes = [
        Comparison(first=first, second=second, choice="first", annotator=one.person)
        for one in annotations_of(row.data)
        for first, second in combinations(order_of(one, tag, places), 2)
    ]
    if not votes:
        raise UnfitError("abstention", "nobody ranked two of the answers")
    named = name(pick(row.data, "id"), "id") or candidates_id(prompt, answers)
    return Candidates(id=named, prompt=prompt, answers=answers, votes=tuple(votes), where=row.where)


def order_of(one: Annotation, tag: str, places: Mapping[str, int]) -> list[int]:
    """Places of the answers a person ranked, the best first. Raises UnfitError for a name that is no answer's."""
    found: list[int] = []
    for region in () if one.skipped else one.regions:
        if "ranker" not in region.value or (tag and region.control != tag):
            continue
        if found:
            raise UnfitError("conflicting_labels", "one annotation ranks the answers twice")
        for ranked in order(region.value["ranker"]):
            if ranked not in places:
                raise UnfitError("missing_field", f"the ranking names {ranked[:40]!r}, which is no answer's id")
            found.append(places[ranked])
    if len(set(found)) != len(found):
        raise UnfitError("conflicting_labels", "one annotation ranks an answer twice")
    return found


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


def label_studio(row: Row, columns: Columns) -> Draft | Candidates:
    """Annotations of a Pairwise or Ranker tag: "left" is the first answer, which also stood on the left."""
    if "answers" in columns.names:
        return ranked_answers(row, columns)
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


def order(value: object) -> list[str]:
    """What a Ranker holds, the best first: buckets of names in their order; bucket "_" is what was left over."""
    buckets = value if isinstance(value, Mapping) else {"rank": value}
    return [str(name) for bucket, names in buckets.items() if bucket != "_" for name in as_list(names)]


def ranked_first(value: object, words: Spelling) -> Outcome:
    """Which of two answers a Ranker puts first."""
    ranked = order(value)
    sides = [words.read(name) for name in ranked if words.knows(spelled(name))]
    if not ranked:
        return "abstain"
    if len(sides) < 2 or sides[0] == sides[1]:
        raise UnfitError("missing_field", f"the ranking ({', '.join(ranked)[:60]}) does not name both answers")
    return sides[0]
