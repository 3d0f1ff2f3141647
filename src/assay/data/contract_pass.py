"""Walks over a source by the contract, and counts: what came of each row, what repeats, with no text kept.

1. A first walk judges every row; `Tally` notes digests, lengths and categories.
2. `repeats` of the overlap index say which pairs are duplicates or in conflict.
3. A second walk, only if there are any, reads those rows again, to be written as rejects.
An outcome's number is its place among all outcomes: rows of candidates have several. Knows no artifact.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain

from assay.data.answer_names import AnswerNames
from assay.data.column_use import IMAGE, ColumnUse, without
from assay.data.config import DataConfig
from assay.data.contract import PairContract
from assay.data.groups.overlap import OBJECTIVE, OverlapIndex, Repeats
from assay.data.layouts.columns import Columns
from assay.data.layouts.gathered_rows import expanded, gathered
from assay.data.layouts.known import BY_LABEL, SAMPLE, Plan, recognise
from assay.data.layouts.mapped_layouts import no_objective
from assay.data.layouts.stated_fields import printable
from assay.data.layouts.texts import LostReasoningError
from assay.data.native_rows import as_native
from assay.data.sources.any_source import Source, parsed
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Candidates, Pair, Reject, RejectReason, Text, plain_text

PROGRESS_EVERY = 5000
Progress = Callable[[int], None]


@dataclass(slots=True)
class Pass:
    """One walk over a source: what came of each row, and the counts. groups: gets whole groups, where wanted."""

    source: Source
    config: DataConfig
    contract: PairContract | None = None
    columns: ColumnUse | None = None
    groups: list[Candidates] | None = None
    aside: Counter[str | None] = field(default_factory=Counter)  # rows of other objectives than the one asked for

    def outcomes(self) -> Iterator[Pair | Reject]:
        """A Pair or a Reject for every row, and for every comparison of a row of candidates."""
        rows = map(parsed, self.source.rows())
        first: list[Row | Reject] = []
        readable = 0
        # Layouts are told from a sample; what was read for it is not read again but put in front of the rest below.
        for row in rows:
            first.append(row)
            readable += isinstance(row, Row)
            if readable == SAMPLE or len(first) == 50 * SAMPLE:
                break
        sample = [row for row in first if isinstance(row, Row)]
        if sample:
            self.recognised(sample)
            plan = None if self.contract is None else self.contract.plan
            if plan is not None and (plan.gather is not None or plan.expand is not None):
                # Several rows make one, or one holds several: read from the start, brought together, taken apart.
                self.source = self.source if plan.gather is None else gathered(self.source, plan.gather)
                self.source = self.source if plan.expand is None else expanded(self.source, plan.expand)
                first, rows = [], map(parsed, self.source.rows())
        taken = 0
        for row in chain(first, rows):
            if isinstance(row, Reject):
                yield row
                continue
            if self.contract is None:
                self.recognised([row])
            if self.of_another(row):
                self.aside[stated_objective(row, self.plan.columns)] += 1
                continue
            taken += 1
            yield from self.judged(row)
        if self.aside and not taken:
            raise no_objective(str(self.config.objective), self.plan.name, sorted(filter(None, self.aside)))

    @property
    def plan(self) -> Plan:
        assert self.contract is not None
        assert self.contract.plan is not None
        return self.contract.plan

    def of_another(self, row: Row) -> bool:
        """Whether a row is of another objective than the one asked for: it is left aside, as if in another file.

        A layout whose rows state several outcomes reads the one asked for by itself.
        """
        wanted = self.config.objective
        if wanted is None or self.plan.objective is not None:
            return False
        return stated_objective(row, self.plan.columns) != wanted

    def recognised(self, sample: Sequence[Row]) -> None:
        """Find the layout of the first rows and what becomes of their columns. Raises InputError."""
        left = [self.read(row) for row in sample]
        plan = recognise(left, self.config, self.source.name)
        self.contract = PairContract(plan, self.config, groups=self.groups)
        self.columns = ColumnUse.of(plan.columns, sample, self.config.ignore, self.source.name)
        # Who states the columns, or the layout, says that they hold answers.
        guessed = self.config.layout == "auto" and "left" not in self.config.columns
        self.columns.names = AnswerNames() if guessed and plan.name in BY_LABEL else None

    def judged(self, row: Row) -> list[Pair | Reject]:
        """What comes of one row. Raises InputError where it holds what may not be lost unsaid."""
        assert self.contract is not None
        assert self.columns is not None
        self.columns.see(row)
        try:
            found = self.contract.outcomes(self.read(row) if self.config.ignore else row)
        except LostReasoningError as error:
            raise self.columns.lost_reasoning(error.key, row.where) from None
        for outcome in found:
            if self.columns.names is not None and type(outcome) is Pair:
                self.columns.names.see(outcome)
            if type(outcome) is Pair and (type(outcome.prompt) is not str or IMAGE in outcome.prompt):
                self.columns.texts(outcome)
        return found

    def read(self, row: Row) -> Row:
        """The row without what the user ignores."""
        return without(row, frozenset(self.config.ignore)) if self.config.ignore else row

    def again(self, numbers: Set[int]) -> Iterator[tuple[int, Pair | Reject]]:
        """(number, outcome) of some outcomes once more; rows that hold one each are passed over unparsed."""
        if self.contract is None:
            return
        contract = PairContract(self.contract.plan, self.config)  # one of its own: votes are not counted twice
        # Rows that are left aside are known by what they say, so all have to be parsed.
        several = self.contract.several or bool(self.aside)
        number = 0
        for item in self.source.rows():
            if not several and number not in numbers:
                number += 1
                continue
            row = parsed(item)
            if isinstance(row, Row) and self.of_another(row):
                continue  # it has no number
            for outcome in [row] if isinstance(row, Reject) else contract.outcomes(self.read(row)):
                if number in numbers:
                    yield number, outcome
                number += 1


@dataclass(slots=True)
class Tally:
    """Counts of one pass; arrays per pair, no texts."""

    overlap: OverlapIndex
    rows: int = 0
    place: array[int] = field(default_factory=lambda: array("q"))  # number of the outcome of each pair
    reasons: Counter[str] = field(default_factory=Counter)
    categories: dict[str | None, int] = field(default_factory=dict)
    category: array[int] = field(default_factory=lambda: array("i"))
    rejected_in: dict[str | None, Counter[str]] = field(default_factory=dict)  # category -> reason -> rows
    ids: array[int] = field(default_factory=lambda: array("q"))  # hashes of the pairs' ids
    ties: int = 0
    encoding: str | None = None  # of the first row that is not UTF-8: what it looks like
    lengths: tuple[array[int], array[int], array[int]] = field(
        default_factory=lambda: (array("i"), array("i"), array("i"))
    )

    def pair(self, pair: Pair) -> None:
        self.overlap.add(pair)
        self.place.append(self.rows)
        self.category.append(self.categories.setdefault(pair.category, len(self.categories)))
        self.ids.append(hash(pair.id))
        self.ties += pair.label == "tie"
        prompt, chosen, rejected = self.lengths
        prompt.append(characters(pair.prompt))
        chosen.append(characters(pair.chosen))
        rejected.append(characters(pair.rejected))

    def reject(self, reject: Reject) -> None:
        self.reasons[reject.reason] += 1
        self.rejected_in.setdefault(reject.category, Counter())[reject.reason] += 1
        if self.encoding is None and reject.reason == "bad_encoding":
            self.encoding = f"{reject.where}: {reject.detail}"


def stated_objective(row: Row, columns: Columns) -> str | None:
    """The objective a row states: in its own column, in its source, or as its category."""
    source = columns.pick(row.data, "source")
    inside = source.get(OBJECTIVE) if isinstance(source, Mapping) else None
    return printable(columns.pick(row.data, "objective") or inside or columns.pick(row.data, "category"))


def characters(text: Text) -> int:
    return len(text) if type(text) is str else len(plain_text(text))


def first_pass(
    outcomes: Iterable[Pair | Reject], tally: Tally, sink: Callable[[Reject], None], progress: Progress | None
) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Pair):
            tally.pair(outcome)
        else:
            tally.reject(outcome)
            sink(outcome)
        tally.rows += 1
        if progress is not None and tally.rows % PROGRESS_EVERY == 0:
            progress(tally.rows)


def wanted_outcomes(tally: Tally, repeats: Repeats) -> Set[int]:
    """Numbers of the outcomes that are duplicates or in conflict, and of the first of each."""
    pairs = {*repeats.duplicate.tolist(), *repeats.conflicting.tolist()}
    return {tally.place[number] for number in pairs | {repeats.first[n] for n in pairs if n in repeats.first}}


def repeated(rows: Iterable[tuple[int, Pair | Reject]], tally: Tally, repeats: Repeats) -> Iterator[Reject]:
    """A reject for each duplicate and each side of a conflict. rows: (number, outcome) of wanted_outcomes at least."""
    number_of = {row: number for number, row in enumerate(tally.place)} if len(repeats.first) else {}
    duplicate, conflicting = set(repeats.duplicate.tolist()), set(repeats.conflicting.tolist())
    where: dict[int, str] = {}
    for row, outcome in rows:
        number = number_of.get(row, -1)
        # The second walk trusts places, so each pair met must still be the one that was noted.
        if not isinstance(outcome, Pair) or number < 0 or hash(outcome.id) != tally.ids[number]:
            raise InputError(f"{outcome.where}: the data changed while they were read. Start again once they rest.")
        where[number] = str(outcome.where)
        first = where.get(repeats.first.get(number, -1))
        if number in conflicting:
            detail = f"also at {first}, labelled both ways" if first else "labelled the other way further down"
            yield as_reject(outcome, "conflicting_labels", detail)
        elif number in duplicate:
            yield as_reject(outcome, "duplicate", f"the same pair as {first}")


def as_reject(pair: Pair, reason: RejectReason, detail: str) -> Reject:
    return Reject(where=pair.where, reason=reason, detail=detail, category=pair.category, row=as_native(pair))
