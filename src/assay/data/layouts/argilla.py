"""Argilla's records -> Draft, and the one place that knows how its records hold responses.

Flat records (`to_list(flatten=True)`) have the columns QUESTION.responses, .users and .status; nested ones an object
`responses` with a list a question. Nested exports of Argilla 2 leave the status out. Knows no study and no contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.data.layouts.columns import PROMPT_NAMES, Columns, Names, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, Outcome, Spelling
from assay.data.layouts.nested import draft_of, inner_columns, inner_spelling
from assay.data.layouts.texts import UnfitError, as_list
from assay.data.sources.row import Row
from assay.errors import InputError


class Response(NamedTuple):
    """One person's response to one question; status is None where the export does not say, "unknown" where it stops."""

    value: object
    person: str | None
    status: str | None


def responses(record: Mapping[str, object], question: str) -> list[Response]:
    """Every response to a question, of a flat or a nested record, drafts and discarded ones included."""
    nested = record.get("responses")
    if f"{question}.responses" not in record and isinstance(nested, Mapping):
        answers = [answer for answer in as_list(nested.get(question)) if isinstance(answer, Mapping)]
        return [
            Response(answer.get("value"), named(answer.get("user_id")), named(answer.get("status")))
            for answer in answers
        ]
    values, people, states = (as_list(record.get(f"{question}.responses{end}")) for end in ("", ".users", ".status"))
    unsaid = None if not states else "unknown"  # a list of states that is too short says nothing of the rest
    return [
        Response(value, named(part(people, place)), named(part(states, place)) or unsaid)
        for place, value in enumerate(values)
    ]


def part(values: Sequence[object], place: int) -> object:
    return values[place] if place < len(values) else None


def named(value: object) -> str | None:
    return None if value is None else str(value)


def argilla_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """Nested: fields and responses as objects. Flat: the fields as columns, and QUESTION.responses."""
    if {"fields", "responses"} <= set(seen):
        found = inner_columns(rows, "fields", {k: v for k, v in stated.items() if k != "votes"})
        objects = [answered for row in rows if isinstance(answered := row.data.get("responses"), Mapping)]
        questions = list(dict.fromkeys(str(name) for answered in objects for name in answered))
        if found is None:
            return None
        where = metadata(rows)
        return found | where | {"votes": f"responses.{question(questions, stated)}", "id": "id"}
    questions = [name.removesuffix(".responses") for name in seen if name.endswith(".responses")]
    if not questions:
        return None
    fields = [name for name in seen if "." not in name]
    found = find_answers(fields, stated) | find(fields, stated, "prompt", PROMPT_NAMES)
    if len(found) < 3:
        return None
    return optional(fields, {}) | found | {"votes": question(questions, stated) + ".responses"}


def metadata(rows: Sequence[Row]) -> Names:
    """Category and group kept in the metadata of a nested record."""
    inner = [found for row in rows if isinstance(found := row.data.get("metadata"), Mapping)]
    keys = {str(name) for fields in inner for name in fields}
    return {role: f"metadata.{role}" for role in ("category", "group") if role in keys}


def question(questions: Sequence[str], stated: Mapping[str, str]) -> str:
    """The question that asks for the preference. Raises InputError if several could."""
    if "votes" in stated:
        return stated["votes"].removeprefix("responses.").removesuffix(".responses")
    known = [name for name in questions if re.search(r"prefer|rank|better|choice|winner|comparison", name, re.I)]
    likely = known if len(known) == 1 else list(questions)
    if len(likely) != 1:
        names = ", ".join(map(repr, questions)) or "none"
        raise InputError(f"Argilla questions here: {names}. Say which holds the preference: --columns votes=QUESTION")
    return likely[0]


def argilla(row: Row, columns: Columns) -> Draft:
    """The responses of several people to one label or ranking question; only submitted ones count."""
    draft, words = draft_of(row.data, columns), inner_spelling(columns)
    name = columns.names["votes"].removeprefix("responses.").removesuffix(".responses")
    draft.votes = tuple(
        Ballot(outcome=outcome_of(response.value, words), annotator=response.person)
        for response in responses(row.data, name)
        if response.status in ("submitted", None)
    )
    if not draft.votes:
        raise UnfitError("abstention", "no submitted response")
    return draft


def outcome_of(value: object, words: Spelling) -> Outcome:
    """A label, or a ranking: names with the best first, or names with ranks (equal ranks are a tie)."""
    if value is None:
        return "abstain"
    if not isinstance(value, Sequence) or isinstance(value, str):
        return words.read(value)
    ranks: dict[Outcome, float] = {}
    for place, item in enumerate(value):
        named = item.get("value") if isinstance(item, Mapping) else item
        rank = item.get("rank", place) if isinstance(item, Mapping) else place
        ranks[words.read(named)] = float(rank)
    if not {"left", "right"} <= ranks.keys():
        raise UnfitError("missing_field", "the ranking does not name both answers")
    return "tie" if ranks["left"] == ranks["right"] else "left" if ranks["left"] < ranks["right"] else "right"
