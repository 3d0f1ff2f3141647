"""Rows of a suite's files: read without losing one, their fields asked for by name, ids made to differ.

A suite is scored whole or not at all, so a row that cannot be read is an error and no reject. Knows no suite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.data.config import DataConfig
from assay.data.sources.any_source import HUB_ID, locate, parsed
from assay.errors import InputError
from assay.records import Candidates, Message, Reject, Text, Where, to_json

KEYS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """One row: its fields, and where it stands."""

    data: Mapping[str, object]
    where: Where

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if not isinstance(value, str):
            raise self.unfit(f"no text under {name!r}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.data.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.unfit(f"no list of texts under {name!r}")
        return tuple(value)

    def whole(self, name: str) -> int:
        value = self.data.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.unfit(f"no whole number under {name!r}")
        return value

    def name(self, *names: str) -> str:
        """The first of the fields that is there, as text."""
        found = next((self.data[one] for one in names if self.data.get(one) is not None), None)
        if found is None:
            raise self.unfit(f"no {' or '.join(map(repr, names))}")
        return str(found)

    def unfit(self, why: str) -> InputError:
        return InputError(f"{self.where}: {why}. The row has {keys(self.data)}.")


def keys(data: Mapping[str, object]) -> str:
    """The names of a row's fields, the first dozen."""
    names = list(map(str, data))
    more = f" and {len(names) - KEYS_SHOWN} more" if len(names) > KEYS_SHOWN else ""
    return ", ".join(names[:KEYS_SHOWN]) + more if names else "no fields"


def suite_rows(source: str, splits: Sequence[str | None]) -> Iterator[SuiteRow]:
    """Rows of a file, a folder or a hub data set, of each split in turn. Raises InputError for one that is no row."""
    # A split is a thing of data sets; a file or a pattern of files has none, and is read once.
    for split in splits if on_the_hub(source) else (None,):
        found = locate(source, config=DataConfig(split=split))
        for item in map(parsed, found.rows()):
            if isinstance(item, Reject):
                raise InputError(f"{item.where}: {item.detail}. A suite is scored whole: mend the file.")
            yield SuiteRow(item.data, item.where)


def on_the_hub(source: str) -> bool:
    """Whether `source` is the id of a data set rather than a path."""
    return HUB_ID.fullmatch(source) is not None and not Path(source).exists()


def hashes(sources: Sequence[str]) -> dict[str, str]:
    """`sha256:...` of each file read; a hub data set stands by its name alone."""
    found: dict[str, str] = {}
    for source in sources:
        files = () if on_the_hub(source) else locate(source, config=DataConfig()).files
        found |= {str(path): sha256_file(path) for path in files} or {source: "by name"}
    return found


def named_apart(groups: Sequence[Candidates]) -> tuple[Candidates, ...]:
    """The groups under ids that differ: as published, with the subset before them where that alone does not do.

    Raises InputError for two items of one subset with one id: a file read twice, or two results of one suite.
    """
    if len({group.id for group in groups}) < len(groups):
        groups = [replace(group, id=f"{group.category}:{group.id}") for group in groups]
    seen: dict[str, Where] = {}
    for group in groups:
        if group.id in seen:
            raise InputError(
                f"{group.where}: the item {group.id!r} stands at {seen[group.id]} already. Give each item once: name "
                "the suite's own file instead of a folder with several."
            )
        seen[group.id] = group.where
    return tuple(groups)


def prompt_cluster(prompt: Text) -> str:
    """What items on one prompt share."""
    return str(to_json(prompt))


def messages(row: SuiteRow, name: str) -> tuple[Message, ...]:
    """A list of {role, content}. Raises InputError for anything else."""
    turns = row.data.get(name)
    if not isinstance(turns, list) or not turns:
        raise row.unfit(f"no list of messages under {name!r}")
    found = []
    for turn in turns:
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
        if not isinstance(role, str) or not isinstance(content, str):
            raise row.unfit(f"a turn of {name!r} has no role or no content")
        found.append(Message(role=role, content=content))
    return tuple(found)


def unlike_published(found: Counter[str], published: Mapping[str, int]) -> tuple[str, ...]:
    """Subsets whose number of items is not that of the published suite, in words."""
    said = [
        f"{name}: {found.get(name, 0):,} items, published with {count:,}"
        for name, count in published.items()
        if found.get(name, 0) != count
    ]
    said += [
        f"{name}: {count:,} items, not a published subset" for name, count in found.items() if name not in published
    ]
    return tuple(said)


def told_apart(names: Sequence[str], of: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """Names for which `of` holds, and the others."""
    return [name for name in names if of(name)], [name for name in names if not of(name)]
