"""The data of a run: rows in, pairs out, what became of the rest, the length gate, the two sides of the split.

Knows contract.json and split.json by their keys, and shows what it has no words for by its name; knows no HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.artifacts.run_json import LengthGateJson
from assay.report import words
from assay.report.run.facts import Facts, fact_list, value_text
from assay.report.run.reported_run import ReportedRun

# Keys of contract.json that have their own place on the page, or are provenance.
TOLD_ELSEWHERE = {"schema", "rows", "kept", "pairs", "rejected", "rejects", "categories", "by_category", "lengths"}
TOLD_ELSEWHERE |= {"inputs", "config", "layout", "source", "seconds", "warnings", "columns"}


def data(evidence: ReportedRun) -> dict[str, object]:
    """The data contract: rows in, pairs out, and what became of the rest."""
    contract = evidence.contract or {}
    warnings = contract.get("warnings")
    gate = evidence.run.get("length_gate") or {}
    return {
        "there": evidence.contract is not None,
        "facts": contract_facts(evidence, contract),
        "warnings": [str(line) for line in warnings] if isinstance(warnings, list) else [],
        "rejects": reject_counts(contract),
        "groups": contract_groups(contract),
        "categories": grid(contract.get("by_category")),
        "lengths": grid(contract.get("lengths")),
        "gate": bool(gate),
        "gate_sentence": gate_sentence(gate),
        "gate_sides": sorted_counts(gate.get("by_side")),
        "gate_categories": sorted_counts(gate.get("by_category")),
        "split": split_facts(evidence) if evidence.split else None,
        "split_categories": grid((evidence.split or {}).get("categories")),
    }


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table: one row a name, one column a figure."""

    columns: list[str]
    rows: list[tuple[str, list[str]]]


def grid(values: object) -> Grid | None:
    """The table inside a mapping of mappings that share their keys; None if there is none."""
    if not isinstance(values, Mapping):
        return None
    inner = {str(name): row for name, row in values.items() if isinstance(row, Mapping) and row}
    if not inner:
        return None
    columns = list(next(iter(inner.values())))
    rows = [(name, [value_text(row.get(column)) for column in columns]) for name, row in inner.items()]
    return Grid([words.spaced(str(column)) for column in columns], rows)


def data_facts(evidence: ReportedRun) -> Facts:
    """The data in short, for the model card."""
    facts = [
        ("File hash", str(evidence.data.get("sha256") or words.UNKNOWN)),
        ("Simulated", "yes" if evidence.simulated else "no"),
    ]
    return [*contract_facts(evidence, evidence.contract or {}), *facts, *split_facts(evidence)]


def gate_sentence(gate: LengthGateJson) -> str:
    if not gate:
        return ""
    why = ", ".join(f"{reason} {words.count(n)}" for reason, n in sorted((gate.get("by_reason") or {}).items()))
    return (
        f"{words.count(gate.get('kept'))} pairs fit as rendered, within {words.count(gate.get('max_tokens'))} tokens a "
        f"side; {words.count(gate.get('dropped'))} dropped{f' ({why})' if why else ''}. Nothing is cut."
    )


def split_facts(evidence: ReportedRun) -> Facts:
    """What split.json proves."""
    skip = ("schema", "inputs")
    return fact_list({key: value for key, value in (evidence.split or {}).items() if key not in skip})


def sorted_counts(counts: Mapping[str, int] | None) -> list[tuple[str, str]]:
    return [(str(name), words.count(n)) for name, n in sorted((counts or {}).items(), key=lambda item: str(item[0]))]


def contract_facts(evidence: ReportedRun, contract: Mapping[str, object]) -> Facts:
    """Rows in, pairs out, and every other single figure of contract.json."""
    layout = contract.get("layout")
    facts = [
        ("Source", str(evidence.data.get("path", words.UNKNOWN))),
        ("Rows read", words.count(contract.get("rows"))),
        ("Pairs kept", words.count(contract.get("kept", contract.get("pairs")))),
        ("Rows rejected", words.count(rejects_in_all(contract.get("rejects")))),
    ]
    if layout:
        facts.append(("Layout", value_text(layout.get("name") if isinstance(layout, Mapping) else layout)))
    single = {key: value for key, value in contract.items() if key not in TOLD_ELSEWHERE}
    return facts + fact_list({key: value for key, value in single.items() if not isinstance(value, Mapping)})


def contract_groups(contract: Mapping[str, object]) -> list[tuple[str, Facts]]:
    """Agreement, duplicates and whatever else contract.json states in groups."""
    groups = {key: value for key, value in contract.items() if isinstance(value, Mapping) and key not in TOLD_ELSEWHERE}
    found = [(words.spaced(str(key)).capitalize(), fact_list(value)) for key, value in groups.items()]
    return [(title, facts) for title, facts in found if facts]


def rejects_in_all(rejects: object) -> int | None:
    if isinstance(rejects, Mapping):
        return sum(value for value in rejects.values() if isinstance(value, int))
    return rejects if isinstance(rejects, int) else None


def reject_counts(contract: Mapping[str, object]) -> list[tuple[str, str]]:
    """Rejected rows by reason; reasons that no row was rejected for are left out."""
    rejects = contract.get("rejects")
    if not isinstance(rejects, Mapping):
        return []
    return [(str(reason), words.count(n)) for reason, n in sorted(rejects.items()) if n]
