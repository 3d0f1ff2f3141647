"""Rows with a prompt, two answers in the order shown, and who won (a label, votes, or both) -> Draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.data.layouts.chosen_rejected import extras, prompts, two_prompts, votes
from assay.data.layouts.columns import (
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
from assay.data.layouts.texts import after_prompt, as_text, missing
from assay.data.sources.row import Row


def comparison_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    if "chosen" in stated or "rejected" in stated:
        return None
    answers = find_answers(seen, stated)
    prompt = two_prompts(seen, stated) or find(seen, stated, "prompt", PROMPT_NAMES)
    if not answers or not prompt:
        return None
    others = [name for name in seen if name not in {*answers.values(), *prompt.values()}]
    votes = find(others, stated, "votes", VOTES_NAMES)
    label = find(others, stated, "label", LABEL_NAMES)
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
