"""Print the figures of a run folder as Markdown, as docs/results shows them: python scripts/figures.py runs/support."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.audits.audit_figures import AUDIT_FIGURES
from assay.findings import Finding
from assay.findings.slice import OVERALL
from assay.report.words import rounded


def figure(finding: Finding | None) -> str:
    """Value with its interval, or why it is unknown."""
    if finding is None:
        return "not measured"
    if finding.known is None:
        return f"unknown: {finding.reason}"
    value = f"{finding.known:.3f}"
    if finding.bounds is None:
        return value
    return f"{value} ({finding.bounds.low:.3f} to {finding.bounds.high:.3f})"


def main(folder: str) -> None:
    run = RunFolder(folder)
    body, audit = run.read("run.json", "run/1"), Audit.read(run)
    gate, contract = GateBody.read(run.path("gate.json")), run.read("contract.json", "contract/1")
    proof = run.read("split.json", "split/1")
    print(f"```console\n$ {body['command']}\n```\n")
    rejects = ", ".join(f"{count:,} {reason}" for reason, count in contract["rejects"].items() if count) or "none"
    print(f"Rows read {contract['rows']:,}; rejected: {rejects}; held out {audit.pairs:,} of {contract['kept']:,}.\n")
    print("| figure | value (95% interval by prompt group) | n |\n|---|---|---|")
    for name, words in AUDIT_FIGURES.shown_in("results table").items():
        found = audit.find(name)
        print(f"| {words} | {figure(found)} | {found.n if found else ''} |")
    categories(audit, body)
    seeds(run, audit)
    print(f"\nGate: **{gate.verdict}**.\n")
    for line in gate.criteria:
        more = f" About {rounded(line.more_pairs)} more held-out pairs would decide." if line.more_pairs else ""
        print(f"- {line.text}: {line.verdict}. {line.reason}.{more}")
    machine, versions = body["machine"], body["versions"]
    print(f"\nSplit: {proof.get('rounding', 'exact')}. {machine['cpus']} core(s), {machine['memory_gib']} GiB,")
    print(f"Python {machine['python']}, torch {versions['torch']}, transformers {versions['transformers']}.")


def categories(audit: Audit, body: dict[str, Any]) -> None:
    """One row a category, with the oracle where the data is simulated."""
    slices = [f.slice for f in audit.findings if f.name == "accuracy" and f.seed is None and f.slice != OVERALL]
    if not slices:
        return
    oracle = (body["data"]["oracle"] or {}).get("by_category", {})
    print("\n| category | accuracy | longest wins | beyond length |" + (" oracle |" if oracle else ""))
    print("|---|---|---|---|" + ("---|" if oracle else ""))
    for where in slices:
        name = where.label
        cells = [figure(audit.find(f, where)) for f in ("accuracy", "length_baseline", "accuracy_beyond_length")]
        print(f"| {name} | " + " | ".join(cells) + " |" + (f" {oracle[name]:.3f} |" if name in oracle else ""))


def seeds(run: RunFolder, audit: Audit) -> None:
    """One row a seed: accuracy, time, tokens, self-checks."""
    print("\n| seed | held-out accuracy | minutes | tokens | self-checks |\n|---|---|---|---|---|")
    for seed in audit.seeds:
        body = read_json(run.seed(seed) / "train.json", "train/1")
        passed = sum(check["passed"] for check in body["self_checks"].values())
        cells = [str(seed), f"{body['held_out']['accuracy']:.3f}", f"{body['seconds'] / 60:.1f}", f"{body['tokens']:,}"]
        print(f"| {' | '.join(cells)} | {passed} of {len(body['self_checks'])} pass |")


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
