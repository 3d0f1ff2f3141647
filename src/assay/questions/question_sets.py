"""A benchmark's folder -> its rows to ask and its solved rows: which files are which, which subjects, how many of each.

Read as questions: `test/` beside `dev/` as MMLU is published (also inside `data/`, also flat as NAME_test.csv beside
NAME_dev.csv), any other folder of question files, or one file. Solved rows are `dev/`, or a place that is named. Knows
files and subjects; knows not how a question is put.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import sha256_file, sha256_json
from assay.errors import InputError
from assay.questions.choice_files import SUFFIXES, ChoiceRow, read_choices
from assay.questions.multiple_choice import Asked, MultipleChoice, choices_task

ASKED = ("test", "val", "validation")  # folders of questions, the first there is
SOLVED = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """Rows to ask, in order, and solved rows; None where no shots are wanted. inputs: hashes of the files read."""

    name: str
    rows: tuple[ChoiceRow, ...]
    solved: tuple[ChoiceRow, ...] | None
    shots: int
    shots_named: str
    inputs: dict[str, str]

    def task(self, asked: Asked) -> MultipleChoice:
        """The questions, asked one way. Raises InputError for a subject with too few solved rows."""
        return choices_task(
            self.name, self.rows, self.solved, shots=self.shots, asked=asked, shots_named=self.shots_named
        )


def question_set(
    path: Path,
    *,
    shots: int = 0,
    shots_from: Path | None = None,
    subjects: Sequence[str] = (),
    limit: int | None = None,
) -> QuestionSet:
    """The set at `path`: of `subjects` (none: all), the first `limit` questions of each in the order of its file.

    shots: solved rows before each question, from `shots_from` or the set's own `dev`. Raises InputError, with file and
    line, for what is no question, for a subject that is not there, and where shots are asked for and none are found.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder. Give the folder that holds test/ and dev/, or a file.")
    if shots < 0 or (limit is not None and limit < 1):
        raise InputError(f"{shots} shots and a limit of {limit}: give 0 shots or more, and a limit of 1 or more.")
    asked, solved = _places(path)
    if shots_from is not None:
        solved = [shots_from]
    rows = _of_subjects([row for place in asked for row in read_choices(place)], subjects, path)
    if limit is not None:
        rows = _first(rows, limit)
    if shots and not solved:
        raise InputError(
            f"{path}: {shots} shots are asked for and no solved questions stand beside it (a dev/ folder). Name them "
            "with --shots-from, or ask with --shots 0."
        )
    read = [*asked, *solved] if shots else asked
    return QuestionSet(
        name=path.resolve().name.partition(".")[0],
        rows=tuple(rows),
        solved=tuple(row for place in solved for row in read_choices(place)) if shots else None,
        shots=shots,
        shots_named=", ".join(str(place) for place in solved[:1]),
        inputs={str(place): _hash(place) for place in (read if len(read) <= 2 else [path])},
    )


def _places(path: Path) -> tuple[list[Path], list[Path]]:
    """Files or folders of questions, and of solved questions."""
    if path.is_file():
        return [path], []
    for folder in (path, path / "data"):
        named = next((folder / name for name in ASKED if (folder / name).is_dir()), None)
        if named is not None:
            return [named], [folder / SOLVED] if (folder / SOLVED).is_dir() else []
    files = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES)
    solved = [one for one in files if one.stem.endswith(f"_{SOLVED}")]
    others = [one for one in files if one not in solved]
    tests = [one for one in others if one.stem.endswith("_test")]
    if not others:
        raise InputError(f"{path}: no questions here. Expected test/ beside dev/, or {', '.join(SUFFIXES)} files.")
    # Beside test files, others of the same names are the validation split: asked as well, they would count twice.
    return tests or others, solved


def _of_subjects(rows: list[ChoiceRow], subjects: Sequence[str], path: Path) -> list[ChoiceRow]:
    if not subjects:
        return rows
    known = dict.fromkeys(row.subject for row in rows)
    wanted = ["_".join(name.split()) if name not in known else name for name in subjects]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or list(known)[:3]
            raise InputError(f"{path}: no subject is called {name!r}. There are {len(known)}, such as {near}.")
    return [row for row in rows if row.subject in set(wanted)]


def _first(rows: Sequence[ChoiceRow], limit: int) -> list[ChoiceRow]:
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row.subject] += 1
        if seen[row.subject] <= limit:
            kept.append(row)
    return kept


def _hash(place: Path) -> str:
    if place.is_file():
        return sha256_file(place)
    files = sorted(one for one in place.rglob("*") if one.is_file() and one.suffix in SUFFIXES)
    return sha256_json([[str(one.relative_to(place)), sha256_file(one)] for one in files])
