"""The sections that account for the result: mistakes, data, provenance, all findings. Knows evidence; knows no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assay.findings.finding import Finding
from assay.report import words
from assay.report.finding_text import cell, label
from assay.report.run.evidence import Evidence

FOLD = 320  # characters shown of a long text before it is folded


@dataclass(frozen=True, slots=True)
class Passage:
    """One turn of a text: who speaks (empty for plain text), the words, and their start if they are long."""

    role: str
    words: str
    start: str

    @property
    def long(self) -> bool:
        return bool(self.start)


def passages(text: Any) -> list[Passage]:
    """A text or a conversation as the page shows it."""
    turns = (
        [("", text)]
        if isinstance(text, str)
        else [(turn.get("role", ""), turn.get("content", "")) for turn in text or []]
    )
    out = []
    for role, said in turns:
        clean = words.visible(str(said))
        start = clean[:FOLD].rsplit(" ", 1)[0] + " …" if len(clean) > FOLD + 80 else ""
        out.append(Passage(str(role), clean, start))
    return out


def mistakes(evidence: Evidence) -> list[dict[str, Any]]:
    """The worst mistakes: prompt and both answers with their rewards."""
    rows = []
    for row in evidence.tables["mistakes"]:
        rows.append(
            {
                "id": row.get("pair_id") or "",
                "category": row.get("category") or "",
                "notes": mistake_notes(row),
                "prompt": passages(row.get("prompt")),
                "chosen": passages(row.get("chosen")),
                "rejected": passages(row.get("rejected")),
                "good": words.reward(row.get("reward_chosen")),
                "bad": words.reward(row.get("reward_rejected")),
            }
        )
    return rows


def mistake_notes(row: Mapping[str, Any]) -> list[str]:
    """Margin, how many seeds err, votes and place of one mistake, as far as recorded."""
    notes = [f"margin {words.reward(row.get('margin'))}"]
    if words.known(row.get("seeds")) and row["seeds"] > 1:
        notes.append(f"wrong with {row.get('seeds_wrong')} of {row['seeds']} seeds")
    if row.get("votes"):
        notes.append("votes " + ", ".join(f"{choice} {n}" for choice, n in sorted(row["votes"].items())))
    lengths = row.get("length_chosen"), row.get("length_rejected")
    if all(words.known(length) for length in lengths):
        notes.append(f"{words.count(lengths[0])} against {words.count(lengths[1])} characters")
    return notes + ([str(row["where"]).replace("\\", "/").rpartition("/")[2]] if row.get("where") else [])


def data(evidence: Evidence) -> dict[str, Any]:
    """The data contract: rows in, pairs out, and what became of the rest."""
    contract = evidence.contract or {}
    gate = evidence.run.get("length_gate")
    return {
        "there": evidence.contract is not None,
        "facts": contract_facts(evidence, contract),
        "warnings": [str(line) for line in contract.get("warnings") or []],
        "rejects": reject_rows(contract),
        "groups": contract_groups(contract),
        "categories": grid(contract.get("by_category")),
        "lengths": grid(contract.get("lengths")),
        "gate": gate,
        "gate_sentence": gate_sentence(gate),
        "gate_sides": counts(gate, "by_side"),
        "gate_categories": counts(gate, "by_category"),
        "split": split_facts(evidence) if evidence.split else None,
        "split_categories": grid((evidence.split or {}).get("categories")),
    }


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table: one row a name, one column a figure."""

    columns: list[str]
    rows: list[tuple[str, list[str]]]


def grid(values: Any) -> Grid | None:
    """The table inside a mapping of mappings that share their keys; None if there is none."""
    if not isinstance(values, Mapping):
        return None
    inner = {str(name): row for name, row in values.items() if isinstance(row, Mapping) and row}
    if not inner:
        return None
    columns = list(next(iter(inner.values())))
    rows = [(name, [told(row.get(column)) for column in columns]) for name, row in inner.items()]
    return Grid([words.spaced(str(column)) for column in columns], rows)


def data_facts(evidence: Evidence) -> Facts:
    """The data in short, for the model card."""
    source = evidence.run.get("data") or {}
    facts = [
        ("File hash", str(source.get("sha256") or words.UNKNOWN)),
        ("Simulated", "yes" if evidence.simulated else "no"),
    ]
    return [*contract_facts(evidence, evidence.contract or {}), *facts, *split_facts(evidence)]


def gate_sentence(gate: Mapping[str, Any] | None) -> str:
    if not gate:
        return ""
    why = ", ".join(f"{reason} {words.count(n)}" for reason, n in sorted((gate.get("by_reason") or {}).items()))
    return (
        f"{words.count(gate.get('kept'))} pairs fit as rendered, within {words.count(gate.get('max_tokens'))} tokens a "
        f"side; {words.count(gate.get('dropped'))} dropped{f' ({why})' if why else ''}. Nothing is cut."
    )


def split_facts(evidence: Evidence) -> Facts:
    """What split.json proves."""
    skip = ("schema", "inputs")
    return fact_list({key: value for key, value in (evidence.split or {}).items() if key not in skip})


def counts(body: Mapping[str, Any] | None, key: str) -> list[tuple[str, str]]:
    found = (body or {}).get(key) or {}
    return [(str(name), words.count(value)) for name, value in sorted(found.items(), key=lambda kv: str(kv[0]))]


Facts = list[tuple[str, str]]
# Keys of contract.json that have their own place on the page, or are provenance.
TOLD_ELSEWHERE = {"schema", "rows", "kept", "pairs", "rejected", "rejects", "categories", "by_category", "lengths"}
TOLD_ELSEWHERE |= {"inputs", "config", "layout", "source", "seconds", "warnings"}
# Why contract.json leaves a figure out.
BECAUSE = {
    "annotators": "the votes name nobody",
    "picked_left_share": "no vote says which answer stood on the left",
    "mean_majority_share": "no row has several votes",
    "unanimous_share": "no row has several votes",
    "agreement": "no row has votes",
    "near_duplicate_prompts": "not looked for",
    "template_prompts": "not looked for",
    "crowded_buckets": "not looked for",
    "longer_is_chosen_share": "no pair has answers of different length",
}
SMALL = 12  # lists longer than this are no facts


def contract_facts(evidence: Evidence, contract: Mapping[str, Any]) -> Facts:
    """Rows in, pairs out, and every other single figure of contract.json."""
    layout = contract.get("layout")
    facts = [
        ("Source", str((evidence.run.get("data") or {}).get("path", words.UNKNOWN))),
        ("Rows read", words.count(contract.get("rows"))),
        ("Pairs kept", words.count(contract.get("kept", contract.get("pairs")))),
        ("Rows rejected", words.count(total(contract.get("rejects")))),
    ]
    if layout:
        facts.append(("Layout", told(layout.get("name") if isinstance(layout, Mapping) else layout)))
    single = {key: value for key, value in contract.items() if key not in TOLD_ELSEWHERE}
    return facts + fact_list({key: value for key, value in single.items() if not isinstance(value, Mapping)})


def contract_groups(contract: Mapping[str, Any]) -> list[tuple[str, Facts]]:
    """Agreement, duplicates and whatever else contract.json states in groups."""
    groups = {key: value for key, value in contract.items() if isinstance(value, Mapping) and key not in TOLD_ELSEWHERE}
    found = [(words.spaced(str(key)).capitalize(), fact_list(value)) for key, value in groups.items()]
    return [(title, facts) for title, facts in found if facts]


def fact_list(values: Mapping[str, Any]) -> Facts:
    """The single figures of a group; unknown with the reason where there is none."""
    return [
        (words.spaced(str(key)).capitalize(), by_name(str(key), value))
        for key, value in values.items()
        if not (isinstance(value, list) and len(value) > SMALL) and not (isinstance(value, Mapping) and nested(value))
    ]


def by_name(key: str, value: Any) -> str:
    """A figure as its name says it is read: shares in percent."""
    if value is None:
        return f"{words.UNKNOWN}: {BECAUSE.get(key, 'not recorded')}"
    return words.percent(value) if key.endswith("share") else told(value)


def nested(values: Mapping[str, Any]) -> bool:
    return len(values) > 3 or any(isinstance(value, Mapping | list) for value in values.values())


def total(rejects: Any) -> int | None:
    if isinstance(rejects, Mapping):
        return sum(value for value in rejects.values() if isinstance(value, int))
    return rejects if isinstance(rejects, int) else None


def told(value: Any) -> str:
    """Any small JSON value in words."""
    if value is None:
        return words.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if words.known(value):
        return words.count(value) if float(value).is_integer() else words.plain(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{words.spaced(str(key))} {by_name(str(key), inner)}" for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(told(inner) for inner in value)
    return str(value)


def reject_rows(contract: Mapping[str, Any]) -> list[tuple[str, str]]:
    rejects = contract.get("rejects")
    if not isinstance(rejects, Mapping):
        return []
    return [(str(reason), words.count(n)) for reason, n in sorted(rejects.items()) if n]


def provenance(evidence: Evidence) -> dict[str, Any]:
    run = evidence.run
    machine, base, source = (run.get(key) or {} for key in ("machine", "base", "data"))
    facts = [
        ("Run", run.get("name")),
        ("Created", moment(run.get("created"))),
        ("assay", run.get("assay_version")),
        ("Base model", base.get("name")),
        ("Processor cores", told(machine.get("cpus"))),
        ("Memory", f"{machine['memory_gib']:g} GiB" if words.known(machine.get("memory_gib")) else words.UNKNOWN),
        ("Python", machine.get("python")),
        ("Platform", machine.get("platform")),
        ("Data", source.get("path")),
        ("Rows in the data", words.count(source.get("rows"))),
        ("Data hash", source.get("sha256")),
        ("Base fingerprint", base.get("fingerprint")),
    ]
    stages = run.get("stages") or []
    return {
        "command": run.get("command") or "",
        "facts": [(name, str(value) if value not in (None, "") else words.UNKNOWN) for name, value in facts],
        "versions": [(str(k), str(v)) for k, v in sorted((run.get("versions") or {}).items())],
        "stages": [stage_row(row) for row in stages],
        "total": words.duration(
            sum(row["seconds"] for row in stages if words.known(row.get("seconds"))) if stages else None
        ),
        "hashes": sorted(evidence.hashes.items()),
    }


def moment(text: Any) -> str | None:
    """2026-03-02T09:30:00+00:00 -> 2026-03-02 09:30 UTC; as it stands where it is no such time."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text) if text else None
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if when.tzinfo else str(text)


def stage_row(row: Mapping[str, Any]) -> dict[str, str]:
    tokens = row.get("tokens")
    return {
        "name": str(row.get("name", "")),
        "seconds": words.duration(row.get("seconds")),
        "tokens": words.count(tokens) if words.known(tokens) else "none counted",
    }


def findings_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Every finding of the audit, none left out."""
    return findings_rows_of(evidence.findings)


def findings_rows_of(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "name": label(f.name),
            "slice": f.slice.label if f.slice.part == "category" else str(f.slice),
            "seed": "all" if f.seed is None else str(f.seed),
            "n": words.count(f.n),
            "cell": cell(f),
            "verdict": f.verdict or "",
            "why": f.why,
        }
        for f in findings
    ]
