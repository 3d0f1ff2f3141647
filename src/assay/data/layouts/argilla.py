"""How Argilla's records hold responses: the one place that knows it.

Flat records (`to_list(flatten=True)`) have the columns QUESTION.responses, .users and .status; nested ones an object
`responses` with a list a question. Nested exports of Argilla 2 leave the status out. Knows no study and no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Response(NamedTuple):
    """One person's response to one question; status is None where the export does not say."""

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
    return [
        Response(value, named(part(people, place)), named(part(states, place))) for place, value in enumerate(values)
    ]


def part(values: Sequence[object], place: int) -> object:
    return values[place] if place < len(values) else None


def named(value: object) -> str | None:
    return None if value is None else str(value)


def as_list(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
