"""Tables of ranked answers, as spreadsheets hold them -> the layout in the mapping language that says what they mean.

Wide: a prompt, three answers and three ranks in columns. Long: a row an answer, with its rank. 1 is the best; ranks
that run the other way are said in a layout of one's own (best: highest). Known by answers and ranks that go together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assay.data.layouts.candidate_rows import TEXT_KEYS
from assay.data.layouts.columns import ANNOTATOR_NAMES, PROMPT_NAMES, SIDES, Columns, Names, find, optional
from assay.data.layouts.mapping_language import Answers, MappedLayout, Verdict
from assay.data.sources.row import Row

STEM = "response|answer|completion|output|candidate|reply|generation|summary|text"
ANSWER = re.compile(rf"({STEM})[ _-]?(\d+|[a-z])", re.IGNORECASE)
RANK = re.compile(
    rf"(?:(?:{STEM})[ _-]?)?rank(?:ing)?[ _-]?(\d+|[a-z])|(?:{STEM})[ _-]?(\d+|[a-z])[ _-]rank", re.IGNORECASE
)
ABOUT = ("id", "category", "group", "source")
OTHERS = frozenset({"chosen", "rejected", "left", "right", "answers", "label"})


def ranked_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """Where every answer has a rank under the same number or letter. A file that names chosen and rejected is pairs."""
    if OTHERS & stated.keys() or {"chosen", "rejected"} <= set(seen):
        return None
    answers = {found[2].lower(): name for name in seen if (found := ANSWER.fullmatch(name))}
    ranks = {(found[1] or found[2]).lower(): name for name in seen if (found := RANK.fullmatch(name))}
    if len(answers) < len(SIDES[0]) or answers.keys() != ranks.keys():
        return None
    prompt = find(seen, stated, "prompt", PROMPT_NAMES)
    if not prompt:
        return None
    texts = {f"answers {place}": name for place, name in enumerate(answers.values())}
    order = {f"ranks {place}": ranks[end] for place, end in enumerate(answers)}
    return prompt | texts | order | about(seen, stated)


def answers_in_columns(columns: Columns, told: str) -> MappedLayout:
    names = columns.names
    return MappedLayout(
        about=told,
        row="candidates",
        prompt=names["prompt"],
        answers=Answers(columns=tuple(name for role, name in names.items() if role.startswith("answers "))),
        outcome=Verdict(ranks=tuple(name for role, name in names.items() if role.startswith("ranks ")), best="lowest"),
        **{role: names[role] for role in ABOUT if role in names},
    )


def ranked_row_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    """One answer and one rank a row. Ranks of several people on the same answers are more than an order: no guess."""
    if OTHERS & stated.keys() or "rank" not in seen or set(ANNOTATOR_NAMES) & set(seen):
        return None
    answer = [name for name in TEXT_KEYS if name in seen]
    if len(answer) != 1 or any(ANSWER.fullmatch(name) for name in seen):
        return None
    prompt = find([name for name in seen if name not in answer], stated, "prompt", PROMPT_NAMES)
    return prompt | {"answers": answer[0], "ranks": "rank"} | about(seen, stated) if prompt else None


def answers_a_row(columns: Columns, told: str) -> MappedLayout:
    names = columns.names
    return MappedLayout(
        about=told,
        row="answer",
        prompt=names["prompt"],
        answers=Answers(one=names["answers"]),
        outcome=Verdict(rank=names["ranks"], best="lowest"),
        # An id would be that of one answer among those that are brought together.
        **{role: names[role] for role in ABOUT if role in names and role != "id"},
    )


def about(seen: Sequence[str], stated: Mapping[str, str]) -> Names:
    return {role: name for role, name in optional(seen, stated).items() if role in ABOUT}
