"""From a contract, a split and an audit's figures: what became of the rows of each category, and which none measures.

A figure over the pairs that are left says nothing of rows that were rejected, were too long, were never held out or
could not be read. Knows counts; knows no criterion and no page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assay.artifacts.contract_body import ContractBody
from assay.artifacts.rests_on_body import CategoryRests, RestsOn
from assay.artifacts.split_body import SplitBody
from assay.findings.finding import Finding
from assay.records import NO_CATEGORY


def rests_on(contract: ContractBody, findings: Iterable[Finding], split: SplitBody | None = None) -> RestsOn:
    """What the figures of an audit rest on."""
    return rests_on_counts(contract, pairs_measured(findings), split)


def rests_on_counts(contract: ContractBody, measured: Mapping[str, int], split: SplitBody | None = None) -> RestsOn:
    """What figures rest on of which each category's pairs are known.

    Rows that state no category are none that could vanish: they are left out of the parts.
    """
    categories = [
        CategoryRests(
            name=name,
            rows=count.kept + count.rejected,
            pairs=count.kept,
            held_out=held_out(split, name),
            measured=measured.get(name, 0),
            lost=commonest(count.reasons),
        )
        for name, count in contract.by_category.items()
        if name != NO_CATEGORY
    ]
    return RestsOn(
        rows=contract.rows,
        pairs=contract.kept,
        lost=commonest(contract.rejects),
        categories=tuple(categories),
        token_limit=contract.token_limit,
    )


def pairs_measured(findings: Iterable[Finding]) -> dict[str, int]:
    """Pairs behind each category's accuracy; a figure that is unknown measures none."""
    return {
        found.slice.label: found.n if found.known is not None else 0
        for found in findings
        if found.name == "accuracy" and found.slice.part == "category" and found.seed is None
    }


def held_out(split: SplitBody | None, name: str) -> int | None:
    """Pairs of a category that were held out; None without a split, 0 where the split has never met it."""
    if split is None:
        return None
    return split.categories[name].held_out if name in split.categories else 0


def commonest(counts: Mapping[str, int]) -> dict[str, int]:
    """Reasons that occurred, the commonest first."""
    return {reason: n for reason, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if n}


def why_unmeasured(found: CategoryRests) -> str:
    """In a clause, why no pair of a category was measured, and the way out."""
    said = f"{found.name} is in the data and not measured:"
    rows = f"{found.rows:,} {'row' if found.rows == 1 else 'rows'}"
    if found.pairs == 0:
        way = "raise max_tokens" if next(iter(found.lost), "") == "too_long" else "see rejects.jsonl"
        return f"{said} none of its {rows} became a pair{reasons(found.lost)}; {way}"
    pairs = f"{found.pairs:,} {'pair' if found.pairs == 1 else 'pairs'}"
    if found.held_out is None:
        return f"{said} none of its {pairs} could be audited; see left_out.jsonl"
    if found.held_out == 0:
        return f"{said} no held-out pair is of its {pairs}; hold out more pairs, or more of it"
    return f"{said} its {found.held_out:,} held-out pairs have no definite label"


def reasons(lost: Mapping[str, int], most: int = 3) -> str:
    """` (12 too long, 3 tie)`, the commonest; nothing where no reason is known."""
    told = [f"{n:,} {reason.replace('_', ' ')}" for reason, n in list(lost.items())[:most]]
    rest = sum(list(lost.values())[most:])
    told += [f"{rest:,} for other reasons"] if rest else []
    return f" ({', '.join(told)})" if told else ""
