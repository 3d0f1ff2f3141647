"""Rows with a prompt and a list of answers, and what is known of them: ranks, scores or votes -> Candidates.

1. A row {"prompt", "answers" or "candidates": [...]} with "ranks", "scores" or "votes" beside, or with "rank" or
   "score" inside its answers, is recognised.
2. Its texts are read as in every other layout, its numbers one an answer, its votes between two places.
Which pairs follow from it is derived_drafts.py's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from assay.data.layouts.columns import ANSWERS_NAMES, PROMPT_NAMES, Columns, Names, find, find_answers, optional
from assay.data.layouts.labels import ANNOTATOR_KEYS, first
from assay.data.layouts.stated_fields import name, number, source
from assay.data.layouts.texts import UnfitError, after_prompt, as_list, as_text, blank, literal, missing, told
from assay.data.sources.row import Row
from assay.data.text_ids import candidates_id
from assay.records import Candidates, Comparison, Text

TEXT_KEYS = ("text", "answer", "response", "completion", "output", "body")  # of an answer that is an object
INSIDE: Mapping[str, str] = {"ranks": "rank", "scores": "score"}
ABOUT = ("id", "category", "group", "source")


def candidate_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """Only where the row holds no pair: two answers that are named are read as what they are called."""
    if stated.keys() & {"chosen", "rejected", "left", "right"} or {"chosen", "rejected"} & set(seen):
        return None
    answers = find(seen, stated, "answers", ANSWERS_NAMES)
    lists = [row.data.get(column) for row in rows for column in answers.values()]
    if not any(listed(value) is not None for value in lists):
        return None
    prompt = find(seen, stated, "prompt", PROMPT_NAMES)
    if not prompt or find_answers(seen, stated):
        return None
    known = {role: name for role in ("ranks", "scores", "votes") for name in find(seen, stated, role, (role,)).values()}
    if not known and not any(inside(listed(value) or (), role) for value in lists for role in INSIDE):
        return None
    about = {role: name for role, name in optional(seen, stated).items() if role in ABOUT}
    return prompt | answers | known | about


def listed(value: object) -> Sequence[object] | None:
    """A list, also one that a table had to write as text; None for anything else."""
    if isinstance(value, str):
        value = literal(value) if value.lstrip()[:1] == "[" else None
    if hasattr(value, "tolist"):
        value = value.tolist()
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else None


def inside(answers: Sequence[object], role: str) -> list[object]:
    """Ranks or scores that stand inside the answers; empty where none does."""
    found = [answer.get(INSIDE[role]) if isinstance(answer, Mapping) else None for answer in answers]
    return found if any(value is not None for value in found) else []


def candidates(row: Row, columns: Columns) -> Candidates:
    """The row's answers and what is known of them. Raises UnfitError where that is nothing, or of fewer than two."""
    found = candidates_of(row, columns, known="read")
    if len(found.answers) < 2:
        raise UnfitError("missing_field", "one answer alone cannot be compared", "both")
    if found.ranks is None and found.scores is None and not found.votes:
        raise UnfitError("missing_field", "neither ranks nor scores nor votes say which answer is better")
    return found


def candidates_of(row: Row, columns: Columns, *, known: Literal["read", "skip"]) -> Candidates:
    """Prompt and answers of a row, and with known="read" what the row says of them. Raises UnfitError."""
    pick, data = columns.pick, row.data
    prompt = as_text(pick(data, "prompt"), "prompt", columns.names["prompt"])
    if blank(prompt):
        raise UnfitError("missing_field", "the prompt is empty", "prompt")
    column = columns.names["answers"]
    items = listed(pick(data, "answers"))
    if not items:
        raise UnfitError("missing_field", f'"{column}" is missing, empty or no list of answers', "both")
    answers = tuple(after_prompt(prompt, answer_text(item, f"{column}[{n}]")) for n, item in enumerate(items))
    if known == "skip":
        return Candidates(
            id=stated_id(row, columns, prompt, answers),
            prompt=prompt,
            answers=answers,
            source=source(pick(data, "source")),  # where a verifier finds the reference answer
            where=row.where,
        )
    return Candidates(
        id=stated_id(row, columns, prompt, answers),
        prompt=prompt,
        answers=answers,
        ranks=numbers(pick(data, "ranks"), items, "ranks"),
        scores=numbers(pick(data, "scores"), items, "scores"),
        votes=tuple(comparison(vote, len(items)) for vote in votes_list(pick(data, "votes"))),
        category=name(pick(data, "category"), "category"),
        group=name(pick(data, "group"), "group"),
        source=source(pick(data, "source")),
        where=row.where,
    )


def stated_id(row: Row, columns: Columns, prompt: Text, answers: Sequence[Text]) -> str:
    return name(columns.pick(row.data, "id"), "id") or candidates_id(prompt, answers)


def answer_text(item: object, what: str) -> Text:
    """One answer: text, messages, or an object that holds either beside its rank or score."""
    if isinstance(item, Mapping) and "role" not in item:
        item = first(item, TEXT_KEYS)
    return as_text(item, "both", what)


def numbers(value: object, answers: Sequence[object], role: str) -> tuple[float | None, ...] | None:
    """One number an answer, None where it is not known; None where none is. Raises UnfitError for another count."""
    stated = inside(answers, role) if missing(value) else listed(value)
    if stated is None:
        raise UnfitError("missing_field", f"the {role} are {told(value)}, not a list")
    if not stated:
        return None
    if len(stated) != len(answers):
        raise UnfitError("missing_field", f"{len(stated)} {role} for {len(answers)} answers")
    found = tuple(None if missing(one) else number(one) for one in stated)
    for place, (one, read) in enumerate(zip(stated, found, strict=True)):
        if read is None and not missing(one):
            raise UnfitError("missing_field", f"{role}[{place}] is {str(one)[:40]!r}; it must be a number")
    return None if all(one is None for one in found) else found


def votes_list(value: object) -> Sequence[object]:
    if missing(value):
        return ()
    found = listed(value)
    return as_list(value) if found is None else found  # raises TypeError


def comparison(vote: object, count: int) -> Comparison:
    """{"first": 0, "second": 2, "choice": "first", "second", "tie" or "abstain"}; places count from 0."""
    if not isinstance(vote, Mapping):
        raise UnfitError("not_text", f"a vote is {told(vote)}, not an object with first, second and choice")
    left, right = place_of(vote.get("first"), count), place_of(vote.get("second"), count)
    choice, shown = vote.get("choice"), vote.get("shown_left")
    if left == right or choice not in ("first", "second", "tie", "abstain"):
        raise UnfitError("missing_field", f"a vote on {left} and {right} says {choice!r}, not first, second or tie")
    if shown not in (None, "first", "second"):
        raise UnfitError("not_text", f"a vote was shown {shown!r} on the left")
    who = first(vote, ANNOTATOR_KEYS)
    return Comparison(
        first=left, second=right, choice=choice, annotator=None if who is None else str(who), shown_left=shown
    )


def place_of(value: object, count: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise UnfitError("missing_field", f"a vote is on answer {value!r}; places are 0 to {count - 1}")
    return value
