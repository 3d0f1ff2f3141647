"""Prompts in a file, a JSON object a line or a row of Parquet: read into Prompts, each under its id.

A row needs a prompt under any of its usual names, as text or messages, and may name its category; what else it holds is
left aside, so a file of answers or candidates is one of prompts too. The same prompt under the same id is asked once.
Knows rows; knows no policy.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from assay.artifacts.files import dumps
from assay.data.sources.named_rows import named_rows, reads_as_rows
from assay.errors import InputError
from assay.policies.protocol import Prompt
from assay.policies.row_fields import PROMPT_FIELDS, category_of, prompt_id_of, prompt_of, quoted
from assay.records import Text, plain_text, to_json

HOLDS = "Write one JSON object a line (JSON lines): a prompt, and an id where it has one."


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a file, in its order. Raises InputError with file and line, and for a file without any."""
    found: dict[str, Prompt] = {}
    for row, where in named_rows(path, holds=HOLDS):
        text = prompt_of(row, where, system="text" if "answer" not in row else "name")
        name = prompt_id_of(row) or id_of(text)
        category = category_of(row)
        known = found.setdefault(name, Prompt(id=name, text=text, category=category))
        if known.text != text:
            raise InputError(
                f"{where}: the id {name!r} stands for {quoted(plain_text(text))} here, and above for "
                f"{quoted(plain_text(known.text))}. Give each prompt its own."
            )
        if known.category != category:
            raise InputError(
                f"{where}: the prompt {name!r} is of category {category!r} here, and above of {known.category!r}. Give "
                "it one."
            )
    if not found:
        raise InputError(f"{path}: no rows. Expected one JSON object a line with a prompt.")
    return list(found.values())


def holds_prompts(path: Path) -> bool:
    """Whether a file's first row has a prompt in a field of its own."""
    if not reads_as_rows(path):
        return False
    first = next(iter(named_rows(path, holds=HOLDS)), None)
    return first is None or any(first.data.get(name) is not None for name in PROMPT_FIELDS)


def prompts_of(asked: Iterable[Prompt | Text]) -> list[Prompt]:
    """Prompts as they are, and texts under ids of what they say; a text that stands again gets an id of its own."""
    seen: Counter[str] = Counter()
    found = []
    for one in asked:
        prompt = one if isinstance(one, Prompt) else Prompt(id=id_of(one), text=one)
        seen[prompt.id] += 1
        again = seen[prompt.id] > 1 and not isinstance(one, Prompt)
        found.append(replace(prompt, id=f"{prompt.id}-{seen[prompt.id]}") if again else prompt)
    return found


def id_of(text: Text) -> str:
    """A prompt's id where it has none: by what it says, so that its place in a file changes nothing."""
    return "p-" + hashlib.blake2b(dumps(to_json(text)), digest_size=6).hexdigest()
