"""Where the reward does worse than elsewhere: the slice that stands out, and a row for each. Knows no HTML."""

from __future__ import annotations

from assay.artifacts.audit_slices_table import SliceRow
from assay.report import words
from assay.report.finding_text import inline
from assay.report.run.reported_run import ReportedRun
from assay.report.run.style_section import p_words

JUDGED = {"ok": "", "below": "below the rest", "too_few": "too few", "shown": "shown only"}


def slices(evidence: ReportedRun) -> dict[str, object] | None:
    """The sentence and the table; None where slices were not scanned."""
    rows = evidence.tables.get("slices")
    if rows is None:
        return None
    return {"reading": slices_reading(evidence, rows), "rows": [slice_row(row) for row in rows]}


def slices_reading(evidence: ReportedRun, rows: list[SliceRow]) -> list[str]:
    """Whether a slice is truly below, and how many could not have been told."""
    found = evidence.head("weakest_slice")
    if found.known is None:
        return [words.sentence(f"weakest slice against the rest: {inline(found)}")]
    named, scanned = found.detail.get("named"), words.plural(found.detail.get("slices", 0), "slice")
    few = sum(row["judged"] == "too_few" for row in rows)
    if found.verdict in ("warning", "problem"):
        first = f"Of {scanned}, {named} is truly below the rest: {inline(found)}, on {words.plural(found.n, 'pair')}."
    else:
        first = (
            f"No slice is below the rest by more than luck among {scanned} allows; what stands out most is {named}, "
            f"{inline(found)}."
        )
    return [first, f"{words.plural(few, 'slice')} hold too few pairs to be told from the rest."] if few else [first]


def slice_row(row: SliceRow) -> dict[str, str]:
    low, high = row["low"], row["high"]
    span = f"{words.percent(low)} to {words.percent(high)}" if low is not None and high is not None else ""
    return {
        "kind": row["kind"],
        "name": row["name"],
        "n": words.count(row["n"]),
        "accuracy": words.percent(row["accuracy"]),
        "span": span,
        "rest": words.percent(row["rest"]),
        "p": p_words(row["p"]),
        "judged": JUDGED[row["judged"]],
    }
