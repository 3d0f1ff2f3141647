"""The whole contract over a whole source: `check` streams it, `read_pairs` keeps it. One code path for both.

First pass: rows are read, judged one by one, and noted in the ledger. Then the ledger knows duplicates, conflicts and
groups. Second pass, only if there are duplicates or conflicts: those rows are read again, to be written as rejects.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifacts.files import write_json
from assay.data.config import DataConfig
from assay.data.contract import Judge
from assay.data.groups.overlap import Groups, Ledger, Repeats, overlap_report, overlap_warnings
from assay.data.layouts.known import SAMPLE, recognise
from assay.data.own_layout import as_native
from assay.data.rejects import writer
from assay.data.sources.any_source import Source, locate, parsed
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import NO_CATEGORY, REJECT_REASONS, REVIEW_REASONS, Pair, Reject, Text, plain_text

PROGRESS_EVERY = 5000
QUANTILES = {"min": 0.0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1.0}
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSet:
    """Everything a source holds: pairs and rejects add up to its rows.

    groups: the prompt group of each pair, as prompt_groups gives it; for `split`. report: the body of contract.json.
    """

    pairs: list[Pair]
    groups: list[str]
    rejects: list[Reject]
    rows: int
    report: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found: counts, and the body of contract.json. folder: where the artifacts are, if anywhere."""

    rows: int
    kept: int
    report: dict[str, Any]
    folder: Path | None

    @property
    def rejects(self) -> Mapping[str, int]:
        """Rejected rows by reason; every reason has its number."""
        return dict(self.report["rejects"])


@dataclass(slots=True)
class Pass:
    """One walk over a source: what came of each row, and the counts."""

    source: Source
    config: DataConfig
    judge: Judge | None = None

    def outcomes(self) -> Iterator[Pair | Reject]:
        """A Pair or a Reject for every row."""
        rows = map(parsed, self.source.rows())
        first: list[Row | Reject] = []
        readable = 0
        for row in rows:
            first.append(row)
            readable += isinstance(row, Row)
            if readable == SAMPLE or len(first) == 50 * SAMPLE:
                break
        sample = [row for row in first if isinstance(row, Row)]
        if sample:
            self.judge = Judge(recognise(sample, self.config, self.source.name), self.config)
        for row in chain(first, rows):
            if isinstance(row, Reject):
                yield row
                continue
            if self.judge is None:
                self.judge = Judge(recognise([row], self.config, self.source.name), self.config)
            yield self.judge.judge(row)

    def again(self, numbers: Set[int]) -> Iterator[tuple[int, Pair | Reject]]:
        """(row number, outcome) of some rows once more; the others are passed over unparsed."""
        if self.judge is None:
            return
        judge = Judge(self.judge.plan, self.config)  # one of its own: votes are not counted twice
        for number, item in enumerate(self.source.rows()):
            if number in numbers:
                row = parsed(item)
                yield number, row if isinstance(row, Reject) else judge.judge(row)


@dataclass(slots=True)
class Tally:
    """Counts of one pass; arrays per pair, no texts."""

    ledger: Ledger
    rows: int = 0
    place: array[int] = field(default_factory=lambda: array("q"))  # row number of each pair
    reasons: Counter[str] = field(default_factory=Counter)
    categories: dict[str | None, int] = field(default_factory=dict)
    category: array[int] = field(default_factory=lambda: array("i"))
    rejected_in: Counter[str | None] = field(default_factory=Counter)
    ids: array[int] = field(default_factory=lambda: array("q"))  # hashes of the pairs' ids
    ties: int = 0
    lengths: tuple[array[int], array[int], array[int]] = field(
        default_factory=lambda: (array("i"), array("i"), array("i"))
    )

    def pair(self, pair: Pair) -> None:
        self.ledger.add(pair)
        self.place.append(self.rows)
        self.category.append(self.categories.setdefault(pair.category, len(self.categories)))
        self.ids.append(hash(pair.id))
        self.ties += pair.label == "tie"
        for lengths, text in zip(self.lengths, (pair.prompt, pair.chosen, pair.rejected), strict=True):
            lengths.append(characters(text))

    def reject(self, reject: Reject) -> None:
        self.reasons[reject.reason] += 1
        self.rejected_in[reject.category] += 1


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


def wanted_rows(tally: Tally, repeats: Repeats) -> Set[int]:
    """Numbers of the rows that are duplicates or in conflict, and of the first of each."""
    pairs = {*repeats.duplicate.tolist(), *repeats.conflicting.tolist()}
    return {tally.place[number] for number in pairs | {repeats.first[n] for n in pairs if n in repeats.first}}


def repeated(rows: Iterable[tuple[int, Pair | Reject]], tally: Tally, repeats: Repeats) -> Iterator[Reject]:
    """A reject for each duplicate and each side of a conflict. rows: (row number, outcome) of wanted_rows at least."""
    number_of = {row: number for number, row in enumerate(tally.place)} if len(repeats.first) else {}
    duplicate, conflicting = set(repeats.duplicate.tolist()), set(repeats.conflicting.tolist())
    where: dict[int, str] = {}
    for row, outcome in rows:
        number = number_of.get(row, -1)
        if not isinstance(outcome, Pair) or number < 0 or hash(outcome.id) != tally.ids[number]:
            raise InputError(f"{outcome.where}: the data changed while they were read. Start again once they rest.")
        where[number] = str(outcome.where)
        first = where.get(repeats.first.get(number, -1))
        if number in conflicting:
            detail = f"also at {first}, labelled both ways" if first else "labelled the other way further down"
            yield as_reject(outcome, "conflicting_labels", detail)
        elif number in duplicate:
            yield as_reject(outcome, "duplicate", f"the same pair as {first}")


def as_reject(pair: Pair, reason: Any, detail: str) -> Reject:
    return Reject(where=pair.where, reason=reason, detail=detail, category=pair.category, row=as_native(pair))


def read_pairs(source: object, *, config: DataConfig | None = None) -> PairSet:
    """Everything `source` holds, in memory: pairs, rejects with their places, and the report.

    source: a path (file, folder, pattern), a Hugging Face dataset id, dicts, Pairs, or a table in memory.
    Rows that share their id get it extended, so that ids are unique. Raises InputError where nothing can be read.
    """
    config = config or DataConfig()
    walk = Pass(locate(source, config=config), config)
    tally = Tally(Ledger(near_duplicates=config.near_duplicates, seed=config.seed))
    pairs: list[Pair] = []
    rejects: list[Reject] = []
    clock = time.perf_counter()

    def keeping() -> Iterator[Pair | Reject]:
        for outcome in walk.outcomes():
            if isinstance(outcome, Pair):
                pairs.append(outcome)
            yield outcome

    first_pass(keeping(), tally, rejects.append, None)
    seconds = {"read": time.perf_counter() - clock}
    repeats = tally.ledger.repeats()
    numbers = dict(zip(tally.place, pairs, strict=True))
    for reject in repeated(((row, numbers[row]) for row in sorted(wanted_rows(tally, repeats))), tally, repeats):
        tally.reject(reject)
        rejects.append(reject)
    keep = repeats.keep(len(pairs))
    groups = grouped(tally, seconds)
    kept = unique_ids([pair for pair, stays in zip(pairs, keep, strict=True) if stays])
    names = [groups.names[number] for number in groups.group_N[keep]]
    report = summary(walk, tally, repeats, groups, seconds)
    return PairSet(pairs=kept, groups=names, rejects=rejects, rows=tally.rows, report=report)


def unique_ids(pairs: list[Pair]) -> list[Pair]:
    """The same pairs; where several share an id, each gets its own by an ending made from its texts."""
    from assay.data.contract import pair_id

    counts = Counter(pair.id for pair in pairs)
    return [
        pair
        if counts[pair.id] == 1
        else replace(pair, id=f"{pair.id}-{pair_id(pair.prompt, pair.chosen, pair.rejected)[2:]}")
        for pair in pairs
    ]


def check(
    source: object, out: Path | str | None = None, *, config: DataConfig | None = None, progress: Progress | None = None
) -> CheckReport:
    """Check `source` without holding it in memory, and write contract.json, rejects.jsonl and review.jsonl to `out`.

    out: a folder, or None to write nothing. progress: called with the number of rows read so far, now and then.
    Raises InputError where nothing can be read.
    """
    config = config or DataConfig()
    walk = Pass(locate(source, config=config), config)
    tally = Tally(Ledger(near_duplicates=config.near_duplicates, seed=config.seed))
    folder = None if out is None else Path(out)
    clock = time.perf_counter()
    with ExitStack() as stack:
        sink = writer(stack, folder)
        first_pass(walk.outcomes(), tally, sink, progress)
        seconds = {"read": time.perf_counter() - clock}
        repeats = tally.ledger.repeats()
        if len(repeats.duplicate) or len(repeats.conflicting):
            for reject in repeated(walk.again(wanted_rows(tally, repeats)), tally, repeats):
                tally.reject(reject)
                sink(reject)
        seconds["repeats"] = time.perf_counter() - clock - seconds["read"]
        report = summary(walk, tally, repeats, grouped(tally, seconds), seconds)
    if folder is not None:
        write_json(folder / "contract.json", "contract/1", report)
    return CheckReport(rows=tally.rows, kept=report["kept"], report=report, folder=folder)


def grouped(tally: Tally, seconds: dict[str, float]) -> Groups:
    """The groups of all pairs, timed."""
    clock = time.perf_counter()
    groups = tally.ledger.groups()
    seconds["near_duplicates"] = time.perf_counter() - clock
    return groups


def summary(walk: Pass, tally: Tally, repeats: Repeats, groups: Groups, seconds: dict[str, float]) -> dict[str, Any]:
    """The body of contract.json."""
    keep = repeats.keep(len(tally.place))
    kept = int(keep.sum())
    if kept + tally.reasons.total() != tally.rows:
        raise AssertionError(f"{kept} pairs and {tally.reasons.total()} rejects do not add up to {tally.rows} rows")
    overlap = overlap_report(groups, repeats, keep=keep, prompts=len(tally.ledger.prompts))
    clock = time.perf_counter()
    inputs = walk.source.inputs()
    seconds["hashes"] = time.perf_counter() - clock
    categories = category_counts(tally, keep)
    ids = np.array(tally.ids, dtype=np.int64)[keep]
    agreement = walk.judge.agreement.report() if walk.judge else None
    return {
        "rows": tally.rows,
        "kept": kept,
        "rejected": tally.reasons.total(),
        "rejects": {reason: tally.reasons[reason] for reason in REJECT_REASONS},
        "for_review": sum(tally.reasons[reason] for reason in REVIEW_REASONS),
        "ties_kept": tally.ties,
        "repeated_ids": kept - len(np.unique(ids)),
        "categories": {name: count["kept"] for name, count in categories.items()},
        "by_category": categories,
        "agreement": agreement,
        "overlap": overlap,
        "lengths": length_report(tally, keep),
        "layout": walk.judge.plan.report() if walk.judge else None,
        "source": walk.source.name,
        "inputs": inputs,
        "config": walk.config.model_dump(mode="json"),
        "warnings": overlap_warnings(overlap, tally.ledger.declared) + row_warnings(tally, kept),
        "seconds": {part: round(value, 3) for part, value in seconds.items()},
    }


def category_counts(tally: Tally, keep: Any) -> dict[str, dict[str, int]]:
    """Kept and rejected rows of each category; rows that state none stand under "(none)"."""
    codes = np.frombuffer(tally.category, dtype=np.int32)[keep] if len(keep) else np.zeros(0, dtype=np.int32)
    counts = np.bincount(codes, minlength=len(tally.categories))
    found = {name: {"kept": int(counts[code]), "rejected": 0} for name, code in tally.categories.items()}
    for name, count in tally.rejected_in.items():
        found.setdefault(name, {"kept": 0, "rejected": 0})["rejected"] = count
    named: dict[str, dict[str, int]] = {}
    for stated, both in sorted(found.items(), key=lambda item: (item[0] is None, item[0] or "")):
        place = named.setdefault(NO_CATEGORY if stated is None else stated, {"kept": 0, "rejected": 0})
        for what in place:
            place[what] += both[what]
    return named


def length_report(tally: Tally, keep: Any) -> dict[str, Any] | None:
    """Lengths in characters, and how often the longer answer was chosen; None without pairs."""
    if not keep.any():
        return None
    prompt, chosen, rejected = (np.frombuffer(part, dtype=np.int32)[keep] for part in tally.lengths)
    different = chosen != rejected
    sides = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    figures: dict[str, Any] = {
        side: {name: int(np.quantile(part, q, method="nearest")) for name, q in QUANTILES.items()}
        | {"mean": float(part.mean())}
        for side, part in sides.items()
    }
    longer = float((chosen > rejected)[different].mean()) if different.any() else None
    return {"unit": "characters", **figures, "longer_is_chosen_share": longer, "same_length": int((~different).sum())}


def row_warnings(tally: Tally, kept: int) -> list[str]:
    lost = tally.reasons.total()
    commonest = tally.reasons.most_common(1)
    if not tally.rows:
        return ["There are no rows."]
    if not kept:
        return [f"No row became a pair; most often: {commonest[0][0]}."]
    if lost > 0.2 * tally.rows:
        return [f"{lost / tally.rows:.0%} of the rows are rejected, most often as {commonest[0][0]}."]
    return []
