"""Exports of other tools and corpora -> Draft: Argilla, Label Studio, SHP, UKPConvArg1. Knows their shapes only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from assay.data.layouts.columns import PROMPT_NAMES, Columns, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, Outcome, Spelling, spelling
from assay.data.layouts.texts import UnfitError, as_text
from assay.data.sources.row import Row
from assay.errors import InputError

Names = dict[str, str]


def ukp_columns(_: Sequence[Row], seen: Sequence[str], __: Mapping[str, str]) -> Names | None:
    return (
        {"id": "#id", "label": "label", "left": "a1", "right": "a2"}
        if {"#id", "label", "a1", "a2"} <= set(seen)
        else None
    )


def ukp(row: Row, columns: Columns) -> Draft:
    """Two arguments for one side of a debate. The file name, debate_side.csv, makes the prompt; group = debate."""
    name = PurePath(row.where.source).name.split(".")[0]
    debate, underscore, side = name.partition("_")
    if not underscore:
        raise InputError(f"{row.where.source}: the ukp layout takes debate and side from a file named debate_side.csv.")
    left, right = (as_text(row.data[key], "both", key) for key in ("a1", "a2"))
    prompt = f"Debate: {spoken(debate)}. Side: {spoken(side)}. Make a convincing argument for this side."
    return Draft(
        prompt=prompt,
        other_prompt=prompt,
        left=unmarked(left),
        right=unmarked(right),
        label=columns.spelling.read(row.data["label"]),
        id=f"{name}/{row.data['#id']}",
        group=debate.strip("-"),
    )


def spoken(slug: str) -> str:
    """Words of a file-name part."""
    return " ".join(slug.split("-")).strip().capitalize()


def unmarked(text: Any) -> Any:
    """Line breaks as line breaks: the corpus writes them as tags."""
    return re.sub(r"\s*<br\s*/?>\s*", "\n", text).strip() if isinstance(text, str) else text


def shp_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    if stated or not {"history", "human_ref_A", "human_ref_B", "labels"} <= set(seen):
        return None
    names = {"prompt": "history", "left": "human_ref_A", "right": "human_ref_B", "label": "labels"}
    domain = {"category": "domain"} if "domain" in seen else {}
    return names | domain | ({"group": "post_id"} if "post_id" in seen else {})


def shp(row: Row, columns: Columns) -> Draft:
    """Stanford Human Preferences, whose card says: labels is 1 if A is preferred and 0 if B is."""
    data = row.data
    label: Outcome = "left" if str(data.get("labels")) == "1" else "right"
    if str(data.get("labels")) not in ("0", "1"):
        raise UnfitError("missing_field", f"labels is {data.get('labels')!r}; SHP has 1 (A) and 0 (B)")
    prompt = as_text(data.get("history"), "prompt", "history")
    left, right = (as_text(data.get(name), "both", name) for name in ("human_ref_A", "human_ref_B"))
    return Draft(
        prompt=prompt,
        other_prompt=prompt,
        left=left,
        right=right,
        label=label,
        category=columns.pick(data, "category"),
        group=columns.pick(data, "group"),
    )


def inner_columns(rows: Sequence[Row], key: str, stated: Mapping[str, str]) -> Names | None:
    """Prompt and answers inside a nested object `key` of the first rows."""
    inner = [row.data[key] for row in rows if isinstance(row.data.get(key), Mapping)]
    seen = list(dict.fromkeys(str(name) for fields in inner for name in fields))
    plain = {role: name.removeprefix(f"{key}.") for role, name in stated.items()}
    found = find_answers(seen, plain) | find(seen, plain, "prompt", PROMPT_NAMES)
    more = optional([name for name in seen if name not in found.values()], {})
    return {role: f"{key}.{name}" for role, name in (more | found).items()} if len(found) == 3 else None


def draft_of(data: Mapping[str, Any], columns: Columns) -> Draft:
    """Prompt and answers by their columns, without a label."""
    pick = columns.pick
    prompt = as_text(pick(data, "prompt"), "prompt", columns.names["prompt"])
    left, right = (as_text(pick(data, side), "both", columns.names[side]) for side in ("left", "right"))
    draft = Draft(prompt=prompt, other_prompt=prompt, left=left, right=right)
    draft.id, draft.category, draft.group = (pick(data, role) for role in ("id", "category", "group"))
    return draft


def inner_spelling(columns: Columns) -> Spelling:
    """The spelling by the last part of nested column names."""
    left, right = (columns.names[side].rsplit(".", 1)[-1] for side in ("left", "right"))
    return spelling(left, right, columns.labels)


def argilla_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """Nested: fields and responses as objects. Flat: the fields as columns, and QUESTION.responses."""
    if {"fields", "responses"} <= set(seen):
        found = inner_columns(rows, "fields", {k: v for k, v in stated.items() if k != "votes"})
        objects = [row.data["responses"] for row in rows if isinstance(row.data.get("responses"), Mapping)]
        questions = list(dict.fromkeys(str(name) for responses in objects for name in responses))
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
    inner = [row.data["metadata"] for row in rows if isinstance(row.data.get("metadata"), Mapping)]
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
    data, name = row.data, columns.names["votes"]
    draft = draft_of(data, columns)
    words = inner_spelling(columns)
    if name.endswith(".responses"):
        values, users, states = (data.get(key) or [] for key in (name, f"{name}.users", f"{name}.status"))
        people = [users[i] if i < len(users) else None for i in range(len(values))]
        status = [states[i] if i < len(states) else "submitted" for i in range(len(values))]
    else:
        answers = columns.pick(data, "votes") or []
        values = [answer.get("value") for answer in answers]
        people = [answer.get("user_id") for answer in answers]
        status = [answer.get("status", "submitted") for answer in answers]
    draft.votes = tuple(
        Ballot(outcome=response(value, words), annotator=None if who is None else str(who))
        for value, who, state in zip(values, people, status, strict=True)
        if state in ("submitted", None)
    )
    if not draft.votes:
        raise UnfitError("abstention", "no submitted response")
    return draft


def response(value: Any, words: Spelling) -> Outcome:
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
    draft = draft_of(row.data, columns)
    words, value = inner_spelling(columns), columns.pick(row.data, "votes")
    if isinstance(value, Mapping):
        who = row.data.get("annotator")
        draft.votes = (Ballot(outcome=words.read(value.get("selected")), annotator=name_of(who), shown_left="left"),)
        return draft
    draft.votes = tuple(annotation(item, words) for item in value or [] if isinstance(item, Mapping))
    if not draft.votes:
        raise UnfitError("abstention", "no annotation")
    return draft


def annotation(item: Mapping[str, Any], words: Spelling) -> Ballot:
    """One person's annotation; cancelled or without a choice is an abstention."""
    outcome: Outcome = "abstain"
    for region in [] if item.get("was_cancelled") else item.get("result") or []:
        value = region.get("value") or {} if isinstance(region, Mapping) else {}
        if "selected" in value:
            outcome = words.read(value["selected"])
        elif value.get("choices") and outcome == "abstain":
            outcome = words.read(value["choices"][0])
    return Ballot(outcome=outcome, annotator=name_of(item.get("completed_by")), shown_left="left")


def name_of(who: Any) -> str | None:
    """An annotator's name: a number, a name, or an object with either."""
    found = who.get("email", who.get("id")) if isinstance(who, Mapping) else who
    return None if found is None else str(found)
