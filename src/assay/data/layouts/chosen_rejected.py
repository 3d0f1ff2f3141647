"""Rows with the columns chosen and rejected -> Draft: assay's own, TRL's two kinds, HH transcripts, RewardBench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from assay.data.layouts.columns import PROMPT_NAMES, SAYS_MORE, Columns, Names, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, Outcome, ballots
from assay.data.layouts.texts import UnfitError, after_prompt, as_text, blank, missing, shared_prompt, told, turns
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Message, Text, as_messages

LATER = {role: role for role in ("votes", "category", "group", "margin", "source")}


def native_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    answers = find(seen, stated, "chosen", ("chosen",)) | find(seen, stated, "rejected", ("rejected",))
    prompt = two_prompts(seen, stated) or find(seen, stated, "prompt", PROMPT_NAMES)
    if len(answers) < 2 or not prompt or "left" in stated:
        return None
    # A label column of another meaning is left alone where the user names the answers himself.
    extra = find(seen, stated, "label", ("label",)) if "chosen" not in stated or "label" in stated else {}
    found = answers | prompt | extra | find(seen, stated, "votes", ("votes",)) | optional(seen, stated)
    return LATER | found  # an optional column may first occur after the rows that showed the layout


def two_prompts(seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str]:
    """Columns of separate prompts for the two answers."""
    for left, right in (("prompt_left", "prompt_right"), ("prompt_chosen", "prompt_rejected")):
        found = find(seen, stated, left, (left,)) | find(seen, stated, right, (right,))
        if len(found) == 2:
            return {"prompt_left": found[left], "prompt_right": found[right]}
    couple = find_answers(seen, {}, "prompt") if "prompt" not in stated else {}
    return {f"prompt_{side}": name for side, name in couple.items()}


def native(row: Row, columns: Columns) -> Draft:
    """prompt, chosen, rejected: texts or messages. Answers that repeat the prompt in front lose it."""
    data, pick = row.data, columns.pick
    prompt, other = prompts(data, columns)
    chosen = as_text(pick(data, "chosen"), "chosen", columns.names["chosen"])
    rejected = as_text(pick(data, "rejected"), "rejected", columns.names["rejected"])
    draft = Draft(
        prompt=prompt,
        other_prompt=other,
        left=chosen if type(chosen) is str else after_prompt(prompt, chosen),
        right=rejected if type(rejected) is str else after_prompt(other, rejected),
        label=native_label(pick(data, "label")),
        votes=votes(data, columns),
        weight=data.get("weight"),  # may first occur after the rows that showed the layout
    )
    return extras(draft, data, columns)


def native_label(value: object) -> Outcome | None:
    """chosen (also when unsaid), tie or abstain; None for "votes", which leaves it to them.

    Raises InputError for any other: it may turn the pair around.
    """
    if value is None or value == "chosen" or missing(value):
        return "left"
    if value == "votes":
        return None
    if value == "tie" or value == "abstain":  # noqa: PLR1714 (mypy narrows on this form)
        return value
    raise InputError(
        f'the column "label" holds {value!r} beside chosen and rejected: only "chosen", "tie" and "abstain" are '
        "understood there. "
        "If it means something else, name the answers yourself: --columns prompt=prompt,chosen=chosen,rejected=rejected"
    )


def prompts(data: Mapping[str, object], columns: Columns) -> tuple[Text, Text]:
    if "prompt" in columns.names:
        prompt = as_text(columns.pick(data, "prompt"), "prompt", columns.names["prompt"])
        if "system" in columns.names:
            prompt = under_system(prompt, data, columns)
        return prompt, prompt
    left = as_text(columns.pick(data, "prompt_left"), "prompt", columns.names["prompt_left"])
    right = as_text(columns.pick(data, "prompt_right"), "prompt", columns.names["prompt_right"])
    return under_system(left, data, columns), under_system(right, data, columns)


def under_system(prompt: Text, data: Mapping[str, object], columns: Columns) -> Text:
    """The prompt behind the row's system text, where the user named its column; as it is where the row has none."""
    value = columns.pick(data, "system") if "system" in columns.names else None
    if missing(value):
        return prompt
    if not isinstance(value, str):
        raise UnfitError("not_text", f'"{columns.names["system"]}" is {told(value)}, not a system text', "prompt")
    if blank(value):
        return prompt
    asked = as_messages(prompt, role="user")
    if asked and asked[0].role == "system":
        raise UnfitError("not_text", f'the prompt and "{columns.names["system"]}" both hold a system text', "prompt")
    return (Message(role="system", content=value), *asked)


def votes(data: Mapping[str, object], columns: Columns) -> tuple[Ballot, ...]:
    """The votes on one row, none where it has none."""
    if "votes" not in columns.names:
        return ()
    value = columns.pick(data, "votes")
    if missing(value):
        return ()
    try:
        return ballots(value, columns.spelling)
    except InputError as error:
        if "chosen" not in columns.names:
            raise  # the votes decide which answer won: a meaning nobody stated concerns every row
        raise UnfitError("not_text", str(error)) from None


def extras(draft: Draft, data: Mapping[str, object], columns: Columns) -> Draft:
    for role, column, leads in columns.more:
        value = data.get(column)
        if value is not None or leads:
            setattr(draft, role, columns.pick(data, role) if leads else value)
    return draft


def implicit_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    if native_columns(rows, seen, stated) is not None or "left" in stated or "prompt" in stated:
        return None
    answers = find(seen, stated, "chosen", ("chosen",)) | find(seen, stated, "rejected", ("rejected",))
    if len(answers) < 2:
        return None
    return answers | find(seen, stated, "votes", ("votes",)) | optional(seen, stated)


def hh_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    names = implicit_columns(rows, seen, stated)
    if names is None:
        return None
    texts = [row.data.get(names["chosen"]) for row in rows]
    spoken = [turns(text) is not None for text in texts if isinstance(text, str)]
    return names if spoken and 2 * sum(spoken) > len(spoken) else None


def plain_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    return None if hh_columns(rows, seen, stated) is not None else implicit_columns(rows, seen, stated)


def implicit(row: Row, columns: Columns) -> Draft:
    """chosen and rejected begin with the prompt they share: messages, or text cut at a line break."""
    data = row.data
    chosen = as_text(columns.pick(data, "chosen"), "chosen", columns.names["chosen"])
    rejected = as_text(columns.pick(data, "rejected"), "rejected", columns.names["rejected"])
    return from_shared(data, columns, chosen, rejected)


def hh(row: Row, columns: Columns) -> Draft:
    """Transcripts with Human: and Assistant: turns."""
    return from_shared(row.data, columns, spoken(row, columns, "chosen"), spoken(row, columns, "rejected"))


def spoken(row: Row, columns: Columns, side: Literal["chosen", "rejected"]) -> Text:
    text = as_text(columns.pick(row.data, side), side, columns.names[side])
    said = turns(text) if isinstance(text, str) else text
    if said is None:
        raise UnfitError("missing_field", f'"{side}" has no "Human:" and "Assistant:" turns', side)
    return said


def from_shared(data: Mapping[str, object], columns: Columns, chosen: Text, rejected: Text) -> Draft:
    prompt, left, right = shared_prompt(chosen, rejected)
    prompt = under_system(prompt, data, columns)
    draft = Draft(prompt=prompt, other_prompt=prompt, left=left, right=right, label="left")
    draft.votes = votes(data, columns)
    return extras(draft, data, columns)


def rewardbench_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    if not {"prompt", "chosen", "rejected", "subset"} <= set(seen) or stated.keys() - SAYS_MORE:
        return None
    names = native_columns(rows, [name for name in seen if name != "label"], stated)
    return None if names is None else names | {"category": stated.get("category", "subset")}
