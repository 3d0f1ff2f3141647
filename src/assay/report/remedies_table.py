"""remedies.md: the tables of remedies for people, each figure with what it is more than without. Computes nothing.

Several tables, since one would be too wide to read: accuracy, gold under pressure, probes, and what each costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.remedies_body import RemediesBody, RemedyFigure, RemedyRow
from assay.report import words

FIGURES = {
    "accuracy": "All",
    "length_matched_accuracy": "Of equal length",
    "accuracy_shorter_preferred": "Shorter preferred",
}
TURNS = {"turns": "turns", "does_not_turn": "does not turn", "undecided": "undecided"}
Column = tuple[str, Callable[[RemedyRow], str]]  # its head, and the cell of a row


def write_table(body: RemediesBody, path: Path) -> None:
    with atomic_write(path) as stream:
        stream.write(table(body).encode())


def table(body: RemediesBody) -> str:
    """The whole page in Markdown."""
    paragraphs = [line for text in (measured_on(body), *how_to_read(body)) for line in (text, "")]
    return "\n".join(["# Remedies", "", *paragraphs, *tables(body), ""])


def measured_on(body: RemediesBody) -> str:
    seeds = f"seed{'s' if len(body.seeds) > 1 else ''} {words.listing([str(one) for one in body.seeds])}"
    what = "simulated pairs, " if body.simulated else ""
    return (
        f"{words.visible(body.data)}, {what}base {words.visible(body.base)}, {seeds}, "
        f"{words.count(body.held_out)} held-out pairs."
    )


def how_to_read(body: RemediesBody) -> Iterator[str]:
    """What a cell is, a paragraph each."""
    yield (
        "In brackets: what a figure is more than without a remedy, on the same pairs and prompts, with its interval at "
        f"{100 * body.level:g}% over prompt groups and seeds, bold where it leaves out 0. Each interval is of one "
        "difference: among many, some leave out 0 by chance."
    )
    if body.best_of is not None:
        one = body.best_of
        yield (
            f"Gold at best of {one.n}: {words.visible(one.gold)} of the answer with the highest reward of {one.n}, "
            f"from {words.visible(one.candidates)}; a random answer has {one.random:+.2f}, the best of {one.n} by gold "
            f"itself {one.best:+.2f}. Gold turns: whether it falls on the way from 1 to {one.n}."
        )
    if body.search is not None:
        found = body.search
        start = "" if found.start is None else f"; before any change its answers have {found.start:+.2f}"
        yield (
            f"Gold, pressed: the simulated truth of what a policy finds that searches for the reward on the simulated "
            f"{found.world} desk, at most {words.count(found.answers)} answers to each of {words.count(found.prompts)} "
            f"prompts, from the agents {words.visible(found.agents)}, one search (seed {found.seed}) for all{start}."
        )


def tables(body: RemediesBody) -> Iterator[str]:
    """What each remedy buys, what probes do, what it costs, what could not be made or measured, and the command."""
    made = [row for row in body.rows if row.why_not is None]
    yield from bought(body, made)
    yield from probed(made)
    yield from costs(body, made)
    not_made = [f"- {spaced(row)}: {words.visible(row.why_not)}" for row in body.rows if row.why_not]
    if not_made:
        yield from ["", "Not made:", "", *not_made]
    notes = [f"- {spaced(row)}: {words.visible(one)}" for row in made for one in row.notes]
    if notes:
        yield from ["", "To be known:", "", *notes]
    yield from ["", f"Command: `{words.visible(body.command)}`; assay {body.assay_version}."]


def bought(body: RemediesBody, made: Sequence[RemedyRow]) -> Iterator[str]:
    yield from lines("Accuracy on held-out pairs", accuracies(made, lambda row: row.figures), made)
    if body.elsewhere is not None:
        one = body.elsewhere
        title = f"Accuracy on {words.count(one.pairs)} pairs of {words.visible(one.path)}, from outside the data"
        yield from ["", *lines(title, accuracies(made, lambda row: row.elsewhere), made)]
    columns: list[Column] = []
    if body.best_of is not None:
        columns.append((f"Gold, best of {body.best_of.n}", lambda row: gold(row.gold)))
        columns.append(("Gold turns", lambda row: TURNS.get(row.turn or "", "unknown")))
    if body.search is not None:
        columns.append(("Gold, pressed", lambda row: gold(row.pressed)))
    if columns:
        yield from ["", *lines("Under pressure", columns, made)]


def accuracies(
    made: Sequence[RemedyRow], figures: Callable[[RemedyRow], Mapping[str, RemedyFigure]]
) -> Iterator[Column]:
    """A column for all pairs and for each part of them that has pairs."""
    counts = figures(made[0]) if made else {}
    for name, title in FIGURES.items():
        if name in counts:
            yield f"{title} (n {words.count(counts[name].n)})", partial(cell, figures, name)


def cell(figures: Callable[[RemedyRow], Mapping[str, RemedyFigure]], name: str, row: RemedyRow) -> str:
    return share(figures(row).get(name))


def probed(made: Sequence[RemedyRow]) -> Iterator[str]:
    names = sorted({name for row in made for name in row.probes})

    def column(name: str) -> Column:
        return name.replace("_", " "), lambda row: share(row.probes.get(name), none="unknown")

    if names:
        yield from ["", *lines("How often the reward did what it must not, by probe", map(column, names), made)]


def costs(body: RemediesBody, made: Sequence[RemedyRow]) -> Iterator[str]:
    beside = f"; {body.processes} processes at once" if body.processes > 1 else ""
    yield ""
    yield from lines(
        f"What each costs (training: seconds of one seed, in the mean{beside}; serving: timed after all training)",
        [
            ("Training, s a seed", lambda row: "none of its own" if row.seconds is None else f"{row.seconds:.1f}"),
            ("Pairs trained on", lambda row: "" if row.pairs is None else words.count(row.pairs)),
            (
                "Serving, ms for 1,000 rewards",
                lambda row: "not timed" if row.serving is None else f"{row.serving:,.0f}",
            ),
            ("Models for one reward", lambda row: "" if row.passes is None else str(row.passes)),
            ("Settings", lambda row: ", ".join(f"`{name}={value}`" for name, value in row.settings.items())),
        ],
        made,
    )


def lines(title: str, columns: Iterable[Column], rows: Sequence[RemedyRow]) -> Iterator[str]:
    """A table with a row a remedy, none first as it was tried."""
    columns = list(columns)
    yield f"**{title}**"
    yield ""
    yield f"| Remedy | {' | '.join(head for head, _ in columns)} |"
    yield f"|{'---|' * (len(columns) + 1)}"
    for row in rows:
        yield f"| {spaced(row)} | {' | '.join(told(row) for _, told in columns)} |"


def share(figure: RemedyFigure | None, *, none: str = "no such pair") -> str:
    """A share with the difference in points."""
    return none if figure is None else told(figure, words.percent(figure.value), scale=100, places=1)


def gold(figure: RemedyFigure | None) -> str:
    """Gold in its own unit."""
    return "unknown" if figure is None else told(figure, f"{figure.value:+.2f}", scale=1, places=2)


def told(figure: RemedyFigure, value: str, *, scale: float, places: int) -> str:
    if figure.more is None:
        return value
    span = figure.more_interval
    more = f"{scale * figure.more:+.{places}f}"
    if span is None:
        return f"{value} ({more})"
    inside = f"{more}; {scale * span.low:+.{places}f} to {scale * span.high:+.{places}f}"
    return f"{value} (**{inside}**)" if span.low > 0 or span.high < 0 else f"{value} ({inside})"


def spaced(row: RemedyRow) -> str:
    return row.name.replace("_", " ")


def line(row: RemedyRow, number: int, many: int) -> str:
    """One line a finished remedy, for a terminal."""
    if row.why_not is not None:
        return f"{number} of {many}  {spaced(row)}: not made"
    parts = [f"accuracy {share(row.figures.get('accuracy'))}"]
    if row.gold is not None:
        parts.append(f"gold at best of n {gold(row.gold)}")
    if row.pressed is not None:
        parts.append(f"gold pressed {gold(row.pressed)}")
    return f"{number} of {many}  {spaced(row)}: {', '.join(parts)}".replace("**", "")
