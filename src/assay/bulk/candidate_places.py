"""Groups of candidates, and prompts, from a file, a folder of files or an address, in the order of their names.

Pairs are not read here: the contract looks at all of them at once. Knows rows; knows neither scorer nor policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.bulk.data_files import data_files
from assay.data.candidate_files import holds_candidates, read_candidates
from assay.errors import InputError
from assay.policies.answer_candidates import answer_candidates, holds_answers
from assay.policies.prompt_files import holds_prompts, read_prompts
from assay.policies.protocol import Prompt
from assay.records import Candidates

WHOLE = "Parts are made of candidates: rows of a prompt and a list of answers, as JSON lines or Parquet."
PROMPTS = "Parts are made of rows with a prompt, as JSON lines or Parquet."


def candidates_at(place: str, *, ignore: Iterable[str] = ()) -> Iterator[Candidates]:
    """All groups at a path or address; a row without an id is called as its line, and of several files as its file too.

    Raises InputError where there are none, and for a file that holds something else.
    """
    for path, name, called in data_files(place, wanted=WHOLE):
        if holds_candidates(path):
            yield from read_candidates(path, called=called, ignore=ignore)
        elif holds_answers(path):
            yield from answer_candidates(path)
        else:
            raise InputError(f"{name}: its first row is neither candidates nor an answer of assay generate. {WHOLE}")


def prompts_at(place: str) -> Iterator[Prompt]:
    """All prompts at a path or address; of each file those that stand twice once.

    Raises InputError where there are none, and for a file that holds something else.
    """
    for path, name, _ in data_files(place, wanted=PROMPTS):
        if not holds_prompts(path):
            raise InputError(f"{name}: its first row has no prompt. {PROMPTS}")
        yield from read_prompts(path)
