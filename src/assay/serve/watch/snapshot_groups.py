"""The rows of a request as lines of a score file: a group each, under the name its client gave, or one of ours.

The lines are those of `assay score`, so that a snapshot is audited, compared and opened as any recorded scores are.
Prompts and answers stand in them only where the user asked for that. Knows rows and results; writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.records import to_json
from assay.scorers.protocol import Scored
from assay.scorers.scores_file import named_row
from assay.serve.asked import Asked, Finished, Ids, Turns
from assay.serve.dialects.dialect import Parsed

Line = dict[str, object]


def snapshot_groups(parsed: Parsed, results: Sequence[Scored], *, texts: bool) -> list[tuple[str | None, Line]]:
    """Each group's name, if its client gave one, and its line, whose name is still empty; groups without a row are left
    aside."""
    found, start = [], 0
    for name, count in parsed.groups if parsed.groups is not None else by_prompt(parsed.asked):
        if count:
            asked = parsed.asked[start : start + count]
            line: Line = {**named_row("", results[start : start + count])}
            found.append((name, {**line, **texts_of(asked)} if texts else line))
        start += count
    return found


def by_prompt(asked: Sequence[Asked]) -> Iterator[tuple[None, int]]:
    """Rows beside each other with one prompt, counted; of finished texts each by itself."""
    start = 0
    for end in range(1, len(asked) + 1):
        if end == len(asked) or not _one_prompt(asked[start], asked[end]):
            yield None, end - start
            start = end


def _one_prompt(one: Asked, other: Asked) -> bool:
    if not (isinstance(one, Turns) and isinstance(other, Turns)):
        return False
    return one.prompt == other.prompt and one.source == other.source


def texts_of(asked: Sequence[Asked]) -> Line:
    """As they were asked: prompt and answers, or finished texts, or ids."""
    match asked[0]:
        case Turns(prompt=prompt):
            return {
                "prompt": to_json(prompt),
                "answers": [to_json(one.answer) for one in asked if isinstance(one, Turns)],
            }
        case Finished():
            return {"texts": [one.text for one in asked if isinstance(one, Finished)]}
        case Ids():
            return {"ids": [list(one.ids) for one in asked if isinstance(one, Ids)]}
