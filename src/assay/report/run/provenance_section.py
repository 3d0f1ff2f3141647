"""Where a run came from: command, machine, versions, stages, hashes. Knows run.json's keys; knows no HTML."""

from __future__ import annotations

from assay.artifacts.run_json import StageJson
from assay.report import words
from assay.report.run.facts import value_text
from assay.report.run.reported_run import ReportedRun


def provenance(evidence: ReportedRun) -> dict[str, object]:
    run, source = evidence.run, evidence.data
    machine, base = run.get("machine") or {}, run.get("base") or {}
    memory = machine.get("memory_gib")
    facts: list[tuple[str, object]] = [
        ("Run", run.get("name")),
        ("Created", words.moment(run.get("created"))),
        ("assay", run.get("assay_version")),
        ("Base model", base.get("name")),
        ("Processor cores", value_text(machine.get("cpus"))),
        ("Memory", f"{memory:g} GiB" if words.known(memory) else words.UNKNOWN),
        ("Python", machine.get("python")),
        ("Platform", machine.get("platform")),
        ("Data", source.get("path")),
        ("Rows in the data", words.count(source.get("rows"))),
        ("Data hash", source.get("sha256")),
        ("Base fingerprint", base.get("fingerprint")),
    ]
    stages = run.get("stages") or []
    seconds = [one for row in stages if words.known(one := row.get("seconds"))]
    return {
        "command": run.get("command") or "",
        "facts": [(name, str(value) if value not in (None, "") else words.UNKNOWN) for name, value in facts],
        "versions": [(str(k), str(v)) for k, v in sorted((run.get("versions") or {}).items())],
        "stages": [stage_row(row) for row in stages],
        "total": words.duration(sum(seconds) if stages else None),
        "hashes": sorted(evidence.hashes.items()),
    }


def stage_row(row: StageJson) -> dict[str, str]:
    tokens = row.get("tokens")
    return {
        "name": str(row.get("name", "")),
        "seconds": words.duration(row.get("seconds")),
        "tokens": words.count(tokens) if words.known(tokens) else "none counted",
    }
