"""The whole contract over a whole source: `check` streams it, `read_pairs` keeps it. One code path for both.

1. Every row is judged and noted (contract_pass.py). 2. Duplicates and conflicts among the pairs are rejected.
3. Prompt groups are computed, once: whoever splits or audits these pairs takes them from here.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.artifacts.contract_body import ContractBody
from assay.data.config import DataConfig
from assay.data.contract_pass import Pass, Progress, Tally, first_pass, repeated, wanted_outcomes
from assay.data.contract_report import CONTRACT, contract_report
from assay.data.groups.overlap import Groups, OverlapIndex
from assay.data.rejects import reject_writer
from assay.data.sources.any_source import locate
from assay.data.sources.file_kind import looks_like
from assay.data.text_ids import pair_id
from assay.records import Candidates, Pair, Reject


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSet:
    """Everything a source holds: pairs and rejects add up to its rows; a row of candidates counts as its comparisons.

    groups: the prompt group of each pair, as prompt_groups gives it; for `split`. report: the body of contract.json.
    candidates: the rows of many answers as whole groups, with what is known of each answer; none of rows of pairs.
    """

    pairs: list[Pair]
    groups: list[str]
    rejects: list[Reject]
    rows: int
    report: ContractBody
    candidates: list[Candidates] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found: counts, and the body of contract.json. folder: where the artifacts are, if anywhere."""

    rows: int
    kept: int
    report: ContractBody
    folder: Path | None

    @property
    def rejects(self) -> Mapping[str, int]:
        """Rejected rows by reason; every reason has its number."""
        return dict(self.report.rejects)


def groups_of(kept: Sequence[Pair], pairs: Sequence[Pair], groups: Sequence[str]) -> list[str]:
    """The prompt groups of some of `pairs`, one of `groups` each: a slice, nothing is computed again.

    Pairs that a prompt joined which is no longer there stay in one group: such groups are coarser than those of the
    rest alone would be, and still none of them may be parted by a split, so nothing can leak.
    """
    of = {pair.id: group for pair, group in zip(pairs, groups, strict=True)}
    return [of[pair.id] for pair in kept]


def read_pairs(source: object, *, config: DataConfig | None = None) -> PairSet:
    """Everything `source` holds, in memory: pairs, rejects with their places, and the report.

    source: a path (file, folder, pattern), a Hugging Face dataset id, dicts, Pairs, Candidates, or a table in memory.
    Rows that share their id get it extended, so that ids are unique. Raises InputError where nothing can be read.
    """
    config = config or DataConfig()
    walk = Pass(locate(source, config=config), config, groups=[])
    tally = Tally(OverlapIndex(near_duplicates=config.near_duplicates, seed=config.seed))
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
    repeats = tally.overlap.repeats()
    numbers = dict(zip(tally.place, pairs, strict=True))
    for reject in repeated(((row, numbers[row]) for row in sorted(wanted_outcomes(tally, repeats))), tally, repeats):
        tally.reject(reject)
        rejects.append(reject)
    keep = repeats.keep(len(pairs))
    groups = grouped(tally, seconds)
    # After repeats are gone: two copies of one pair share their id rightly, and need no ending.
    kept = unique_ids([pair for pair, stays in zip(pairs, keep, strict=True) if stays])
    names = [groups.names[number] for number in groups.group_N[keep]]
    report = contract_report(walk, tally, repeats, groups, seconds)
    return PairSet(
        pairs=kept, groups=names, rejects=rejects, rows=tally.rows, report=report, candidates=walk.groups or []
    )


def no_pair(source: object, rows: int, rejects: Mapping[str, int]) -> str:
    """Why a source of which no row became a pair is no data: its commonest reasons, and what it looks like."""
    commonest = [(reason, count) for reason, count in Counter(rejects).most_common(3) if count]
    told = ", ".join(f"{count:,} {reason}" for reason, count in commonest) or "there are no rows"
    looks = looks_like(Path(source)) if isinstance(source, str | Path) else None
    return f"{source}: no usable pair in {rows:,} rows ({told})." + (f" It looks like {looks}." if looks else "")


def unique_ids(pairs: list[Pair]) -> list[Pair]:
    """The same pairs; where several share an id, each gets its own by an ending made from its texts."""
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
    tally = Tally(OverlapIndex(near_duplicates=config.near_duplicates, seed=config.seed))
    folder = None if out is None else Path(out)
    clock = time.perf_counter()
    with ExitStack() as stack:
        sink = reject_writer(stack, folder)
        first_pass(walk.outcomes(), tally, sink, progress)
        seconds = {"read": time.perf_counter() - clock}
        repeats = tally.overlap.repeats()
        if len(repeats.duplicate) or len(repeats.conflicting):
            for reject in repeated(walk.again(wanted_outcomes(tally, repeats)), tally, repeats):
                tally.reject(reject)
                sink(reject)
        seconds["repeats"] = time.perf_counter() - clock - seconds["read"]
        report = contract_report(walk, tally, repeats, grouped(tally, seconds), seconds)
    if folder is not None:
        report.write(folder / CONTRACT)
    return CheckReport(rows=tally.rows, kept=report.kept, report=report, folder=folder)


def grouped(tally: Tally, seconds: dict[str, float]) -> Groups:
    """The groups of all pairs, timed."""
    clock = time.perf_counter()
    groups = tally.overlap.groups()
    seconds["near_duplicates"] = time.perf_counter() - clock
    return groups
