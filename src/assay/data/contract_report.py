"""contract.json, rejects.jsonl and review.jsonl: made and written here and nowhere else.

1. `contract_report`: the counts of a pass as the typed body of contract.json.
2. `with_rejects`: the same after a later stage (the length gate) has rejected more pairs.
3. `write_contract`: the three files of a folder, contract.json last.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.artifacts.contract_body import CategoryCounts, ContractBody, LengthFigures, LengthReport, TokenLimit
from assay.data.contract_pass import Pass, Tally
from assay.data.groups.overlap import Groups, Repeats, overlap_report, overlap_warnings
from assay.data.layouts.label_values import counted, guesses
from assay.data.rejects import write_rejects
from assay.records import NO_CATEGORY, REJECT_REASONS, REVIEW_REASONS, Reject

CONTRACT = "contract.json"
QUANTILES = {"min": 0.0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1.0}


def write_contract(folder: Path, report: ContractBody, rejects: Sequence[Reject]) -> None:
    """contract.json, rejects.jsonl and review.jsonl, with every row accounted for."""
    write_rejects(folder, rejects)
    report.write(folder / CONTRACT)


def with_rejects(report: ContractBody, rejects: Sequence[Reject], *, limit: TokenLimit | None = None) -> ContractBody:
    """The report once pairs it counts as kept were rejected after all; what it says of the data stays.

    limit: what rejected those that are too long.
    """
    reasons: Counter[str] = Counter(reject.reason for reject in rejects)
    lost: dict[str, Counter[str]] = {name: Counter() for name in report.by_category}
    for reject in rejects:
        lost[reject.category or NO_CATEGORY][reject.reason] += 1
    by_category = {
        name: CategoryCounts(
            kept=count.kept - lost[name].total(),
            rejected=count.rejected + lost[name].total(),
            reasons=dict(Counter(count.reasons) + lost[name]),
        )
        for name, count in report.by_category.items()
    }
    return report.model_copy(
        update={
            "kept": report.kept - len(rejects),
            "rejected": report.rejected + len(rejects),
            "rejects": {reason: count + reasons[reason] for reason, count in report.rejects.items()},
            "for_review": report.for_review + sum(reasons[reason] for reason in REVIEW_REASONS),
            "by_category": by_category,
            "categories": {name: count.kept for name, count in by_category.items()},
            "token_limit": limit,
        }
    )


def contract_report(
    walk: Pass, tally: Tally, repeats: Repeats, groups: Groups, seconds: dict[str, float]
) -> ContractBody:
    """The body of contract.json."""
    keep = repeats.keep(len(tally.place))
    kept = int(keep.sum())
    if kept + tally.reasons.total() != tally.rows:
        raise AssertionError(f"{kept} pairs and {tally.reasons.total()} rejects do not add up to {tally.rows} rows")
    overlap = overlap_report(groups, repeats, keep=keep, prompts=len(tally.overlap.prompts))
    clock = time.perf_counter()
    inputs = walk.source.inputs()
    seconds["hashes"] = time.perf_counter() - clock
    categories = category_counts(tally, keep)
    ids = np.array(tally.ids, dtype=np.int64)[keep]
    contract = walk.contract
    return ContractBody(
        rows=tally.rows,
        kept=kept,
        rejected=tally.reasons.total(),
        candidates=contract.candidate_counts() if contract else None,
        rejects={reason: tally.reasons[reason] for reason in REJECT_REASONS},
        for_review=sum(tally.reasons[reason] for reason in REVIEW_REASONS),
        ties_kept=tally.ties,
        repeated_ids=kept - len(np.unique(ids)),
        categories={name: count.kept for name, count in categories.items()},
        by_category=categories,
        agreement=contract.agreement.report() if contract else None,
        overlap=overlap,
        lengths=length_report(tally, keep),
        layout=contract.plan.report() if contract and contract.plan else None,
        columns=walk.columns.report() if walk.columns else {},
        source=walk.source.name,
        inputs=inputs,
        config=walk.config.model_dump(mode="json"),
        warnings=[
            *(walk.columns.warnings() if walk.columns else ()),
            *overlap_warnings(overlap, tally.overlap.declared),
            *row_warnings(tally, kept),
            *aside_warnings(walk),
            *label_warnings(contract.unknown_labels if contract else {}),
        ],
        seconds={part: round(value, 3) for part, value in seconds.items()},
    )


def category_counts(tally: Tally, keep: NDArray[np.bool_]) -> dict[str, CategoryCounts]:
    """Kept and rejected rows of each category; rows that state none stand under "(none)"."""
    codes = np.frombuffer(tally.category, dtype=np.int32)[keep] if len(keep) else np.zeros(0, dtype=np.int32)
    counts = np.bincount(codes, minlength=len(tally.categories))
    kept = {name: int(counts[code]) for name, code in tally.categories.items()}
    rejected = tally.rejected_in
    named: dict[str, CategoryCounts] = {}
    for stated in sorted({*kept, *rejected}, key=lambda name: (name is None, name or "")):
        # data that use the name "(none)" themselves are counted there as well
        name = NO_CATEGORY if stated is None else stated
        before = named.get(name, CategoryCounts(kept=0, rejected=0))
        reasons = Counter(before.reasons) + rejected.get(stated, Counter())
        named[name] = CategoryCounts(
            kept=before.kept + kept.get(stated, 0), rejected=reasons.total(), reasons=dict(reasons)
        )
    return named


def length_report(tally: Tally, keep: NDArray[np.bool_]) -> LengthReport | None:
    """Lengths in characters, and how often the longer answer was chosen; None without pairs."""
    if not keep.any():
        return None
    prompt, chosen, rejected = (np.frombuffer(part, dtype=np.int32)[keep] for part in tally.lengths)
    different = chosen != rejected
    return LengthReport(
        unit="characters",
        prompt=length_figures(prompt),
        chosen=length_figures(chosen),
        rejected=length_figures(rejected),
        longer_is_chosen_share=float((chosen > rejected)[different].mean()) if different.any() else None,
        same_length=int((~different).sum()),
    )


def length_figures(lengths: NDArray[np.int32]) -> LengthFigures:
    found = {name: int(np.quantile(lengths, q, method="nearest")) for name, q in QUANTILES.items()}
    return LengthFigures(mean=float(lengths.mean()), **found)


def row_warnings(tally: Tally, kept: int) -> list[str]:
    lost = tally.reasons.total()
    commonest = tally.reasons.most_common(1)
    if not tally.rows:
        return ["There are no rows."]
    if tally.encoding is not None:
        told = f"{tally.reasons['bad_encoding']:,} rows are not UTF-8: {tally.encoding}."
        return [told, *row_losses(lost, tally.rows, kept, commonest[0][0])]
    return row_losses(lost, tally.rows, kept, commonest[0][0]) if lost or not kept else []


def row_losses(lost: int, rows: int, kept: int, reason: str) -> list[str]:
    """That many rows were lost, most for one reason."""
    if not kept:
        return [f"No row became a pair; most often: {reason}."]
    if lost > 0.2 * rows:
        return [f"{lost / rows:.0%} of the rows are rejected, most often as {reason}."]
    return []


def aside_warnings(walk: Pass) -> list[str]:
    """Rows of other objectives than the one asked for: in no count of this report."""
    if not walk.aside:
        return []
    told = ", ".join(f"{name or 'none stated'} {count:,}" for name, count in walk.aside.most_common(10))
    return [f"data.objective={walk.config.objective}: {walk.aside.total():,} rows of others are left aside ({told})"]


def label_warnings(unknown: Mapping[str, int]) -> list[str]:
    """Labels that nobody gave a meaning, with the line that settles them."""
    if not unknown:
        return []
    line = ",".join(guesses(unknown))
    return [
        f"{sum(unknown.values())} labels are not understood: {counted(unknown)}. Say what they mean, for instance "
        f"--labels {line} (left, right, tie or abstain)."
    ]
