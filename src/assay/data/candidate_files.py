"""Files of candidates: whether a file holds some, and the candidates of each row with their line.

Texts, messages and what is known are read as the layout `candidates` reads them, so that a chat means the same in a
file of candidates and in a file of pairs. A row that cannot be read is an error: nothing here counts rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

from assay.data.column_use import ColumnUse, without
from assay.data.layouts.candidate_rows import candidates_of
from assay.data.layouts.columns import ANSWERS_NAMES, Columns
from assay.data.layouts.texts import LostReasoningError, UnfitError, blank
from assay.data.sources.named_rows import named_rows, reads_as_rows
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Candidates

EXPECTED = "A row holds prompt (text or messages) and answers (a list of them)."
ROLES = ("prompt", "id", "ranks", "scores", "votes", "category", "group", "source")


def holds_candidates(path: Path) -> bool:
    """Whether a file's first row has a list of answers under one prompt rather than a pair."""
    if not reads_as_rows(path):
        return False
    try:
        first = list(islice(named_rows(path, holds=EXPECTED), 1))
    except InputError:
        return False
    return any(isinstance(row.data.get(name), list) for row in first for name in ANSWERS_NAMES)


def read_candidates(
    path: Path,
    *,
    called: str | None = None,
    known: Literal["read", "skip"] = "skip",
    ignore: Iterable[str] = (),
    lost: Literal["stop", "pass"] = "stop",
    unfit: Literal["stop", "pass"] = "stop",
) -> Iterator[Candidates]:
    """Rows {"prompt", "answers" or "candidates", "id"?} of a JSON-lines file or JSON array, `.gz` included, or Parquet.

    called: the file's name for people, in place of its path. known="read": with ranks, scores, votes and what else a
    row says of its answers; to score texts, nothing else need be right. A row without an id is called as its line,
    behind `called` where that is given.
    ignore: names left out knowingly, as columns and in messages.
    unfit="pass": rows that are no candidates are left out, for who counts them elsewhere.
    lost="stop": a system text, tools or another column that changes what an answer means is an error, as in data.
    Raises InputError with file and line for any other row.
    """
    ignored = frozenset(ignore)
    use = ColumnUse(candidate_columns(ANSWERS_NAMES[0]), ignored, called or str(path))
    use.roles = dict.fromkeys((*ROLES, *ANSWERS_NAMES), "candidates")
    for read in named_rows(path, holds=EXPECTED, called=called):
        row = without(read, ignored) if ignored else read
        columns = candidate_columns(next((name for name in ANSWERS_NAMES if name in row.data), ANSWERS_NAMES[0]))
        try:
            if lost == "stop":
                refuse_lost(use, read)
            found = candidates_of(row, columns, known=known)
            refuse_blank(found, columns.names["answers"])
        except LostReasoningError as error:
            if unfit == "pass":
                continue
            raise use.lost_reasoning(error.key, row.where) from None
        except (UnfitError, TypeError, UnicodeEncodeError) as error:
            if unfit == "pass":
                continue
            raise InputError(f"{row.where}: {error}. {EXPECTED}") from None
        named = str(row.where.line) if called is None else str(row.where)
        yield found if row.data.get("id") is not None else replace(found, id=named)


def candidate_columns(answers: str) -> Columns:
    """The roles of a file of candidates: columns called as they are."""
    return Columns({**{role: role for role in ROLES}, "answers": answers})


def refuse_lost(use: ColumnUse, row: Row) -> None:
    """Raises InputError where a row says more than prompt and answers: here nobody is told at the end, so at once."""
    use.see(row)
    if said := {name: where for name, (value, where) in use.systems.items() if value}:
        raise use.stopped(said)


def refuse_blank(group: Candidates, column: str) -> None:
    for place, answer in enumerate(group.answers):
        if blank(answer):
            raise UnfitError("empty_candidate", f'"{column}[{place}]" is empty')
