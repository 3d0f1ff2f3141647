"""Where a run came from: command, machine, versions, stages, hashes. Knows run.json; knows no HTML."""

from __future__ import annotations

from assay.artifacts.run_body import StageBody
from assay.artifacts.tracking_body import TrackedBody
from assay.report import words
from assay.report.run.facts import value_text
from assay.report.run.reported_run import ReportedRun


def provenance(evidence: ReportedRun) -> dict[str, object]:
    run, source, machine = evidence.run, evidence.run.data, evidence.run.machine
    memory = machine.memory_gib
    facts: list[tuple[str, object]] = [
        ("Run", run.name),
        ("Created", words.moment(run.created)),
        ("assay", run.assay_version),
        ("Base model", evidence.base),
        ("Processor cores", value_text(machine.cpus)),
        ("Memory", f"{memory:g} GiB" if memory is not None else words.UNKNOWN),
        ("Python", machine.python),
        ("Platform", machine.platform),
        ("Data", evidence.source),
        ("Rows in the data", words.count(source.rows if source else None)),
        ("Data hash", source.sha256 if source else None),
        ("Base fingerprint", run.base.fingerprint if run.base else None),
        *((f"Tracked, {whose(one)}", where(one)) for one in run.tracked),
    ]
    return {
        "command": run.command,
        "facts": [(name, str(value) if value not in (None, "") else words.UNKNOWN) for name, value in facts],
        "versions": sorted(run.versions.items()),
        "stages": [stage_row(row) for row in run.stages],
        "total": words.duration(sum(row.seconds for row in run.stages) if run.stages else None),
        "hashes": sorted(evidence.hashes.items()),
    }


def whose(one: TrackedBody) -> str:
    """What is shown in one place, and by which tracker."""
    return f"{'the verdict' if one.seed is None else f'seed {one.seed}'} ({one.tracker})"


def where(one: TrackedBody) -> str:
    """The place, and why it is not whole where a tracker failed."""
    place = one.place or ("its own settings say" if one.failed is None else "nowhere")
    return place if one.failed is None else f"{place}; {one.failed}"


def stage_row(row: StageBody) -> dict[str, str]:
    return {
        "name": row.name,
        "seconds": words.duration(row.seconds),
        "tokens": words.count(row.tokens) if row.tokens is not None else "none counted",
    }
