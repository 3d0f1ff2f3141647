"""The cells of operating_table.py as the markdown of docs/audit.md: rates, what falls short, what intervals hold.

Knows counts; draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Cell = dict[str, Any]  # a line of the rows file: name, pairs, icc, audits, named, any, off, covered
Key = tuple[str, int, float]  # name of the row, pairs, intraclass correlation
BEGIN, END = "<!-- operating table: written by benchmarks/operating_table.py -->", "<!-- end of operating table -->"
FEWEST, SURE = 100, 400  # intervals of a cell from which on its coverage is told, and is called too low or too high
WANTED, ALLOWED, COVERS = 0.95, 0.05, (0.93, 0.97)
AT = 1000  # pairs at which figures are held against what is wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the rows are called, by name, in order; and the figures whose intervals are held against the truth."""

    clean: Mapping[str, str]
    planted: Mapping[str, str]
    figures: Sequence[str]


def folded(page: str, table: str) -> str:
    """The page with the table between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the table: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def text(rows: Mapping[Key, Cell], shown: Shown, about: Mapping[str, Any]) -> str:
    """All of it, with what it was made by."""
    return "\n".join([*_made_by(rows, about), *_rates(rows, shown), *_short(rows, shown), *_coverage(rows, shown)])


def _made_by(rows: Mapping[Key, Cell], about: Mapping[str, Any]) -> Iterator[str]:
    made = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    whole = sum(row["audits"] for row in rows.values())
    yield f"{_draws(rows.values())} simulated audits a cell, {whole:,} in all, {len(rows)} cells; an"
    yield "empty cell was not drawn yet. `OMP_NUM_THREADS=1 python benchmarks/operating_table.py`,"
    yield f"{about['processor']}, Python {about['python']}, {made}."
    each = []
    for n in _sizes(rows):
        some = [row for key, row in rows.items() if key[1] == n]
        each.append(f"{sum(row['seconds'] for row in some) / sum(row['audits'] for row in some):.2f} s at {n:,} pairs")
    yield f"Drawing one and auditing it took {', '.join(each)} of processor time on a machine shared with other work."
    yield ""


def _draws(cells: Iterable[Cell]) -> str:
    draws = sorted(row["audits"] for row in cells)
    return f"{draws[0]:,}" if draws[0] == draws[-1] else f"{draws[0]:,} to {draws[-1]:,}"


def _sizes(rows: Mapping[Key, Cell]) -> list[int]:
    return sorted({n for _, n, _ in rows}, reverse=True)


def _places(rows: Mapping[Key, Cell]) -> list[tuple[int, float]]:
    return sorted({(n, icc) for _, n, icc in rows}, key=lambda place: (-place[0], place[1]))


def _rates(rows: Mapping[Key, Cell], shown: Shown) -> Iterator[str]:
    heads = []
    for n, icc in _places(rows):
        draws = _draws(row for key, row in rows.items() if key[1:] == (n, icc))
        heads.append(f"{n:,}, ICC {icc:g} ({draws} audits)")
    for title, names, count in (
        ("nothing wrong: any alarm", shown.clean, "any"),
        ("planted: named as what it is", shown.planted, "named"),
    ):
        yield f"| {title} | {' | '.join(heads)} |"
        yield "|---" * (len(heads) + 1) + "|"
        for name, words in names.items():
            cells = [rows.get((name, n, icc)) for n, icc in _places(rows)]
            if any(cells):
                yield f"| {words} | {' | '.join(_share(one[count], one['audits']) if one else '' for one in cells)} |"
        yield ""


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.1f}%".replace(".0%", "%")


def _short(rows: Mapping[Key, Cell], shown: Shown) -> Iterator[str]:
    """What stays under the marks at AT pairs, with what went off there instead; and sound rewards that alarm."""
    planted = [(words, *item) for name, words in shown.planted.items() for item in _of(rows, name) if item[0][1] == AT]
    missed = []
    for words, (_, _, icc), row in planted:
        if row["named"] < WANTED * row["audits"]:
            others = [f"`{one}` in {_share(many, row['audits'])}" for one, many in row["off"].items() if ":" not in one]
            beside = f"; what went off: {', '.join(others[:3])}" if others else "; nothing went off"
            missed.append(f"{words}, ICC {icc:g}: in {_share(row['named'], row['audits'])}{beside}")
    clean = [(words, *item) for name, words in shown.clean.items() for item in _of(rows, name)]
    alarmed = [
        f"{words}, {n:,} pairs, ICC {icc:g}: in {_share(row['any'], row['audits'])}"
        for words, (_, n, icc), row in clean
        if row["any"] > ALLOWED * row["audits"]
    ]
    yield from _listed(f"Named in less than {WANTED:.0%} at {AT:,} pairs", missed, len(planted))
    yield from _listed(f"Sound, and something went off in more than {ALLOWED:.0%}", alarmed, len(clean))


def _listed(what: str, found: Sequence[str], of: int) -> Iterator[str]:
    """How many cells it is true of, and which."""
    yield f"{what}: {len(found)} of {of} cells."
    yield from ["", *(f"- {one}" for one in found), ""] if found else [""]


def _of(rows: Mapping[Key, Cell], name: str) -> list[tuple[Key, Cell]]:
    return sorted((item for item in rows.items() if item[0][0] == name), key=lambda item: (-item[0][1], item[0][2]))


def _coverage(rows: Mapping[Key, Cell], shown: Shown) -> Iterator[str]:
    sizes = _sizes(rows)
    yield f"| interval of 95% covers: lowest and highest cell | {' | '.join(f'{n:,} pairs' for n in sizes)} |"
    yield "|---" * (len(sizes) + 1) + "|"
    outside, told = [], 0
    words = {**shown.clean, **shown.planted}
    for figure in shown.figures:
        cells = []
        for n in sizes:
            seen = [
                (row["covered"][figure], key) for key, row in rows.items() if key[1] == n and figure in row["covered"]
            ]
            shares = sorted((held / of, key[0], key[2]) for (held, of), key in seen if of >= FEWEST)
            sure = {(key[0], key[2]) for (_, of), key in seen if of >= SURE}
            cells.append(f"{100 * shares[0][0]:.1f} to {100 * shares[-1][0]:.1f}%" if shares else "")
            if n == AT:
                told += len(sure)
                outside += [
                    f"`{figure}`: {100 * one:.1f}% ({words[name]}, ICC {icc:g})"
                    for one, name, icc in shares
                    if (name, icc) in sure and not COVERS[0] <= one <= COVERS[1]
                ]
        if any(cells):
            yield f"| `{figure}` | {' | '.join(cells)} |"
    yield ""
    yield from _listed(f"Covers less than {COVERS[0]:.0%} or more than {COVERS[1]:.0%} at {AT:,} pairs", outside, told)
