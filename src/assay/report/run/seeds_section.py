"""Accuracy of each seed, the spread between them, and the self-checks after training. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.artifacts.train_body import SelfCheckBody
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.report import words
from assay.report.finding_text import cell, inline
from assay.report.plots import forest
from assay.report.run.accuracy_section import slices
from assay.report.run.reported_run import ReportedRun, SeedFiles, absent


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A self-check of training: its name, `passed` or `failed`, and the worst difference found."""

    name: str
    word: str
    detail: str


def seeds(evidence: ReportedRun) -> dict[str, object]:
    """Accuracy of each seed, overall and by category, with mean and spread."""
    strip = []
    for where, label, _ in slices(evidence):
        found = evidence.per_seed("accuracy", where) or [evidence.head("accuracy", where)]
        dots = tuple(f.known for f in found if f.known is not None)
        if dots:
            mean = sum(dots) / len(dots)
            strip.append(forest.Row(label=label, value=mean, dots=dots, strong=where == OVERALL))
    spread = evidence.head("seed_spread")
    heard = "; ".join(f"{row.label} {words.listing([words.percent(dot) for dot in row.dots])}" for row in strip)
    return {
        "figure": forest.strip(strip, label=f"Held-out accuracy of each seed: {heard}") if strip else None,
        "table": [seed_row(evidence, files) for files in evidence.seeds],
        "spread": spread_sentence(spread),
    }


def spread_sentence(found: Finding) -> str:
    if found.known is None:
        return words.sentence(f"spread between seeds: unknown, because {found.reason}")
    detail = found.detail
    said = f"Spread between seeds, highest minus lowest: {inline(found)}"
    if words.known(detail.get("sd")):
        said += (
            f" (mean {words.percent(detail.get('mean'))}, standard deviation {words.points(detail['sd']).lstrip('+')})"
        )
    if dead := detail.get("dead_seeds"):
        named = words.listing([str(seed) for seed in dead])
        said += f". Seed{'s' if len(dead) > 1 else ''} {named} learned next to nothing while others did"
    return f"{said}. {found.why}"


def seed_row(evidence: ReportedRun, files: SeedFiles) -> dict[str, object]:
    train = files.train
    missing = absent("accuracy", OVERALL, "the audit holds no accuracy of this seed")
    found = evidence.find("accuracy", seed=files.seed) or (
        evidence.head("accuracy") if len(evidence.seeds) == 1 else missing
    )
    checks = train.self_checks if train else {}
    return {
        "seed": files.seed,
        "accuracy": cell(found),
        "seconds": words.duration(train.seconds if train else None),
        "tokens": words.count(train.tokens if train else None),
        "checks": checks_in_short([check_row(name, value) for name, value in checks.items()]),
        "missing": train is None,
    }


def checks_in_short(checks: Sequence[CheckRow]) -> list[dict[str, str]]:
    """Checks grouped by outcome, failures first: word, how many, and their names with details."""
    groups: dict[str, list[str]] = {}
    for check in sorted(checks, key=lambda one: one.word == "passed"):
        groups.setdefault(check.word, []).append(f"{check.name} ({check.detail})" if check.detail else check.name)
    return [{"word": word, "names": ", ".join(names)} for word, names in groups.items()]


def check_row(name: str, check: SelfCheckBody) -> CheckRow:
    """One self-check in words."""
    said = "" if check.worst is None else "exact" if check.worst == 0 else f"within {check.worst:.1e}"
    meaning = "" if check.passed else check.meaning
    detail = " ".join(part for part in (said, meaning) if part)
    return CheckRow(words.spaced(name), "passed" if check.passed else "failed", detail)
