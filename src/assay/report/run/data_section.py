"""The data of a run: rows in, pairs out, what became of the rest, the length gate, the two sides of the split.

Knows contract.json and split.json; a figure that has no words here is shown by its name. Knows no HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from assay.artifacts.contract_body import ContractBody
from assay.artifacts.run_body import LengthGateBody
from assay.report import words
from assay.report.run.facts import Facts, fact_list, value_text
from assay.report.run.reported_run import ReportedRun


def data(evidence: ReportedRun) -> dict[str, object]:
    """The data contract: rows in, pairs out, and what became of the rest."""
    contract, gate, proof = evidence.contract, evidence.run.length_gate, evidence.split
    return {
        "there": contract is not None,
        "facts": contract_facts(evidence),
        "warnings": contract.warnings if contract else [],
        "rejects": reject_counts(contract) if contract else [],
        "groups": contract_groups(contract) if contract else [],
        "categories": grid(contract.by_category if contract else {}),
        "lengths": lengths_grid(contract),
        "gate": gate is not None,
        "gate_sentence": gate_sentence(gate) if gate else "",
        "gate_sides": sorted_counts(gate.by_side if gate else {}),
        "gate_categories": sorted_counts(gate.by_category if gate else {}),
        "split": split_facts(evidence) or None,
        "training": training_facts(evidence),
        "split_categories": grid(proof.categories if proof else {}),
    }


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table: one row a name, one column a figure."""

    columns: list[str]
    rows: list[tuple[str, list[str]]]


def grid(rows: Mapping[str, BaseModel]) -> Grid | None:
    """The table of parts by name; None if there is none."""
    figures = {name: row.model_dump(mode="json") for name, row in rows.items()}
    if not figures:
        return None
    # A figure that is left out where it has nothing to say, such as reasons, stands in some rows only.
    names = list(dict.fromkeys(name for row in figures.values() for name in row))
    rows_of = [(name, [value_text(row[one]) if one in row else "" for one in names]) for name, row in figures.items()]
    return Grid([words.spaced(name) for name in names], rows_of)


def lengths_grid(contract: ContractBody | None) -> Grid | None:
    if contract is None or contract.lengths is None:
        return None
    lengths = contract.lengths
    return grid({"prompt": lengths.prompt, "chosen": lengths.chosen, "rejected": lengths.rejected})


def data_facts(evidence: ReportedRun) -> Facts:
    """The data in short, for the model card."""
    facts = [
        ("File hash", evidence.run.data.sha256 if evidence.run.data else words.UNKNOWN),
        ("Simulated", "yes" if evidence.simulated else "no"),
    ]
    return [*contract_facts(evidence), *facts, *split_facts(evidence), *training_facts(evidence)]


def training_facts(evidence: ReportedRun) -> Facts:
    """What became of the training side of the split; nothing where all of it, and nothing else, was trained on."""
    counts = evidence.run.training_pairs
    if counts is None:
        return []
    facts = [("Trained on", f"{words.count(counts.trained)} pairs, from {words.count(counts.split)} of the split")]
    if counts.left_out:
        facts.append(("Left out of training", value_text(counts.left_out)))
    if counts.suspected_held_out or counts.suspected_unknown:
        facts.append(
            (
                "Suspected labels not left out",
                f"{words.count(counts.suspected_held_out)} held out, {words.count(counts.suspected_unknown)} no pair "
                "of these data",
            )
        )
    if counts.validation:
        facts.append(("Set apart for early stopping", words.count(counts.validation)))
    if counts.made_wanted or counts.made:
        told = ", ".join(f"{kind.replace('_', ' ')} {words.count(n)}" for kind, n in counts.made.items()) or "none"
        facts.append(("Made pairs, trained on and never held out", told))
    if counts.made_dropped:
        facts.append(("Made pairs dropped as rendered", value_text(counts.made_dropped)))
    return facts


def gate_sentence(gate: LengthGateBody) -> str:
    why = ", ".join(f"{reason} {words.count(n)}" for reason, n in sorted(gate.by_reason.items()))
    return (
        f"{words.count(gate.kept)} pairs fit as rendered, within {words.count(gate.max_tokens)} tokens a "
        f"side; {words.count(gate.dropped)} dropped{f' ({why})' if why else ''}. Nothing is cut."
    )


def split_facts(evidence: ReportedRun) -> Facts:
    """What split.json proves."""
    return fact_list(evidence.split.model_dump(mode="json", exclude={"inputs"})) if evidence.split else []


def sorted_counts(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, words.count(n)) for name, n in sorted(counts.items())]


def contract_facts(evidence: ReportedRun) -> Facts:
    """Rows in, pairs out, and every other single figure of contract.json."""
    contract = evidence.contract
    facts = [
        ("Source", evidence.source or words.UNKNOWN),
        ("Rows read", words.count(contract.rows if contract else None)),
        ("Pairs kept", words.count(contract.kept if contract else None)),
        ("Rows rejected", words.count(sum(contract.rejects.values()) if contract else None)),
    ]
    if contract is None:
        return facts
    if contract.layout is not None:
        facts.append(("Layout", contract.layout.name))
    single = {"for_review", "ties_kept", "repeated_ids"} | ({"agreement"} if contract.agreement is None else set())
    return facts + fact_list(contract.model_dump(mode="json", include=single))


def contract_groups(contract: ContractBody) -> list[tuple[str, Facts]]:
    """What contract.json states in groups, where it does."""
    groups = {
        "Candidates": contract.candidates,
        "Agreement": contract.agreement,
        "Overlap": contract.overlap,
    }
    return [(title, fact_list(group.model_dump(mode="json"))) for title, group in groups.items() if group is not None]


def reject_counts(contract: ContractBody) -> list[tuple[str, str]]:
    """Rejected rows by reason; reasons that no row was rejected for are left out."""
    return [(reason, words.count(n)) for reason, n in sorted(contract.rejects.items()) if n]
