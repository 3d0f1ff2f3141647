"""Rows with a prompt, two answers in the order shown, and who won (a label, votes, or both) -> Draft.

Where a column says whose choice it is, a row is one vote, and the rows of a pair belong together: `vote_rows` says
so in the mapping language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.data.layouts.chosen_rejected import extras, prompts, two_prompts, votes
from assay.data.layouts.columns import (
    ANNOTATOR_NAMES,
    LABEL_NAMES,
    PROMPT_NAMES,
    VOTES_NAMES,
    Columns,
    Names,
    find,
    find_answers,
    optional,
)
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import SHOWN_KEYS
from assay.data.layouts.mapping_language import Answers, MappedLayout, Verdict
from assay.data.layouts.texts import after_prompt, as_text, missing
from assay.data.sources.row import Row


def comparison_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """A row is a pair: nobody is named whose choice it is."""
    return None if vote_columns(rows, seen, stated) is not None else judged_columns(seen, stated)


def vote_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """A row is a vote: a column names whose choice it is."""
    found = judged_columns(seen, stated)
    if found is None or "votes" in found or "prompt" not in found or "label" not in found:
        return None
    others = [name for name in seen if name not in found.values()]
    annotator = find(others, stated, "annotator", ANNOTATOR_NAMES)
    return found | annotator | find(others, stated, "shown_left", SHOWN_KEYS) if annotator else None


def vote_rows(columns: Columns, about: str) -> MappedLayout:
    """The layout of rows that are votes."""
    names, words = columns.names, dict(columns.numbers)
    return MappedLayout(
        about=about,
        row="vote",
        prompt=names["prompt"],
        answers=Answers(left=names["left"], right=names["right"]),
        outcome=Verdict(label=names["label"], words=words),
        annotator=names["annotator"],
        **{role: names[role] for role in ("shown_left", *columns.extras) if role in names},
    )


def judged_columns(seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    if "chosen" in stated or "rejected" in stated:
        return None
    answers = find_answers(seen, stated)
    prompt = two_prompts(seen, stated) or find(seen, stated, "prompt", PROMPT_NAMES)
    if not answers or not prompt:
        return None
    others = [name for name in seen if name not in {*answers.values(), *prompt.values()}]
    votes = find(others, stated, "votes", VOTES_NAMES)
    label = find([name for name in others if name not in votes.values()], stated, "label", LABEL_NAMES)
    return answers | prompt | label | votes | optional(others, stated) if label or votes else None


def comparison(row: Row, columns: Columns) -> Draft:
    """prompt, two answers in the order shown, and who won: a label, several people's votes, or both."""
    data, pick = row.data, columns.pick
    prompt, other = prompts(data, columns)
    left = as_text(pick(data, "left"), "both", columns.names["left"])
    right = as_text(pick(data, "right"), "both", columns.names["right"])
    draft = Draft(prompt=prompt, other_prompt=other, left=after_prompt(prompt, left), right=after_prompt(other, right))
    draft.votes, label = votes(data, columns), pick(data, "label")
    if not draft.votes or not missing(label):
        draft.label = columns.spelling.read(label)
    return extras(draft, data, columns)
