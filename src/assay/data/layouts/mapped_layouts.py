"""Which layout of the mapping language a file has: the known ones by their columns, a user's own by its file.

Knows files of layouts (known_files/*.yaml) and columns; reads rows only to see what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from assay.data.layouts.candidate_rows import listed
from assay.data.layouts.columns import listed as names_of
from assay.data.layouts.mapping_language import MappedLayout, read_layout
from assay.data.layouts.paths import column_of
from assay.data.sources.row import Row
from assay.errors import ConfigError, InputError

ENDS = (".yaml", ".yml")
# What --columns may state beside a layout.
ABOUT = frozenset({"id", "category", "objective", "group", "margin", "weight", "source"})
NEEDED = ("prompt", "left", "right", "chosen", "rejected", "all_chosen", "all_rejected", "answers", "label", "scores")


@cache
def known_layouts() -> Mapping[str, MappedLayout]:
    """The layouts that come with assay, by name."""
    folder = files("assay.data.layouts") / "known_files"
    found = sorted((part for part in folder.iterdir() if part.name.endswith(ENDS)), key=lambda part: part.name)
    layouts = [read_layout(part.read_text(encoding="utf-8"), part.name) for part in found]
    return {layout.name: layout for layout in layouts}


def own_layout(file: str) -> MappedLayout:
    """A user's layout. Raises ConfigError if the file cannot be read or is no layout."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--layout {file}: cannot be read ({error}).") from None
    return read_layout(text, file)


def recognised(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str], source: str) -> MappedLayout | None:
    """The known layout of these rows; of several the one that names most of their columns. Raises InputError."""
    if stated.keys() - ABOUT:
        return None
    fitting = [layout for layout in known_layouts().values() if fits(layout, rows, seen)]
    most = max((len(layout.recognise.columns) for layout in fitting if layout.recognise), default=0)
    best = [layout for layout in fitting if layout.recognise and len(layout.recognise.columns) == most]
    if len(best) > 1:
        names = " and ".join(layout.name for layout in best)
        raise InputError(f"{source}: the columns fit the layouts {names}. Choose one: --layout {best[0].name}")
    return with_stated(best[0], stated) if best else None


def fits(layout: MappedLayout, rows: Sequence[Row], seen: Sequence[str]) -> bool:
    """Whether the rows have the columns, and lack those, by which a layout is known."""
    known = layout.recognise
    if known is None or not set(known.columns) <= set(seen) or set(known.without) & set(seen):
        return False
    return all(any(holds(row.data.get(name), keys) for row in rows) for name, keys in known.inside.items())


def holds(value: object, keys: Sequence[str]) -> bool:
    """Whether a value is an object with these keys, or a list of such."""
    items = (value,) if isinstance(value, Mapping) else listed(value) or ()
    return any(isinstance(item, Mapping) and set(keys) <= item.keys() for item in items)


def with_stated(layout: MappedLayout, stated: Mapping[str, str]) -> MappedLayout:
    """The layout with what --columns states beside it. Raises ConfigError for what the layout itself says."""
    if other := sorted(stated.keys() - ABOUT):
        raise ConfigError(
            f"--columns {other[0]}={stated[other[0]]}: layout {layout.name} says itself where that stands. Write it "
            "into a layout of your own (--layout FILE.yaml), or leave --layout out."
        )
    return layout.model_copy(update=dict(stated)) if stated else layout


def by_objective(layout: MappedLayout, objective: str) -> MappedLayout:
    """The layout with one of its outcomes only. Raises ConfigError that names those there are."""
    found = next((one for one in layout.verdicts if one.objective == objective), None)
    if found is None:
        raise no_objective(objective, layout.name, [one.objective for one in layout.verdicts if one.objective])
    only = found.model_copy(update={"objective": None})  # one label a row: nothing has to be told apart
    return layout.model_copy(update={"outcome": only, "outcomes": ()})


def no_objective(objective: str, name: str, there: Sequence[str]) -> ConfigError:
    """The error for an objective that a layout does not state."""
    known = f"its objectives are {', '.join(there)}" if there else "its rows state one outcome"
    return ConfigError(f"data.objective: layout {name} has no objective {objective!r}: {known}.")


def refuse_absent(layout: MappedLayout, seen: Sequence[str], source: str) -> None:
    """Raises InputError where the rows lack a column that the layout cannot do without."""
    for role, used in layout.columns().items():
        if role in NEEDED and used not in seen and column_of(used) not in seen:
            raise InputError(
                f"{source}: layout {layout.name} looks for its {role} in {used!r}, which is not there. "
                f"Columns here: {names_of(seen)}."
            )
