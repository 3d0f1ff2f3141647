"""The accuracy sections: by category beside the length rule, and by seed. Knows evidence; knows no HTML.

Each function takes the Evidence and returns what its part of the template shows; figures arrive as finished SVG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice, category
from assay.report import words
from assay.report.finding_text import cell, inline
from assay.report.plots import forest
from assay.report.run.evidence import Evidence, SeedFiles, absent
from assay.report.run.verdict import threshold


def slices(evidence: Evidence) -> list[tuple[Slice, str, str | None]]:
    """(slice, label, category) of the whole and of every category."""
    return [(OVERALL, "Overall", None), *((category(name), name, name) for name in evidence.categories())]


def accuracy(evidence: Evidence) -> dict[str, Any]:
    """Accuracy overall and by category, beside the longest-wins baseline."""
    head = evidence.head("accuracy")
    rows = accuracy_rows(evidence)
    return {
        "figure": forest.forest(rows, label=spoken(rows)),
        "table": accuracy_table(evidence),
        "gap": gap_sentence(evidence.head("category_gap")),
        "oracle": any(row.oracle is not None for row in rows),
        "threshold": any(row.threshold is not None for row in rows),
        "why": head.why,
        "level": words.level(head.bounds),
    }


def gap_sentence(found: Finding) -> str:
    said = f"Gap between best and worst category: {inline(found)}"
    best, worst = found.detail.get("best"), found.detail.get("worst")
    return f"{said}, {best} against {worst}. {found.why}" if best and worst else f"{said}. {found.why}"


def accuracy_rows(evidence: Evidence) -> list[forest.Row]:
    out = []
    for where, label, name in slices(evidence):
        model = evidence.head("accuracy", where)
        out.append(
            forest.Row(
                label=label,
                value=model.known,
                low=model.bounds.low if model.bounds else None,
                high=model.bounds.high if model.bounds else None,
                baseline=evidence.head("length_baseline", where).known,
                oracle=evidence.oracle(name),
                threshold=threshold(evidence, name),
                strong=name is None,
            )
        )
    return out


def accuracy_table(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "total": name is None,
            "n": words.count(evidence.head("accuracy", where).n),
            "model": cell(evidence.head("accuracy", where)),
            "baseline": cell(evidence.head("length_baseline", where)),
            "beyond": cell(evidence.head("accuracy_beyond_length", where)),
            "oracle": words.percent(evidence.oracle(name)),
        }
        for where, label, name in slices(evidence)
    ]


def spoken(shown: Sequence[forest.Row]) -> str:
    """The plot in words, for who cannot see it."""
    parts = [
        f"{row.label} {forest.in_words(row)}"
        + (f", longest wins {words.percent(row.baseline)}" if row.baseline is not None else "")
        for row in shown
    ]
    return "Held-out accuracy with interval: " + "; ".join(parts)


def seeds(evidence: Evidence) -> dict[str, Any]:
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
    return f"{said}. {found.why}"


def seed_row(evidence: Evidence, files: SeedFiles) -> dict[str, Any]:
    train = files.train or {}
    missing = absent("accuracy", OVERALL, "the audit holds no accuracy of this seed")
    found = evidence.find("accuracy", seed=files.seed) or (
        evidence.head("accuracy") if len(evidence.seeds) == 1 else missing
    )
    checks = train.get("self_checks") or {}
    return {
        "seed": files.seed,
        "accuracy": cell(found),
        "seconds": words.duration(whole_seconds(train.get("seconds"))),
        "tokens": words.count(train.get("tokens")),
        "checks": checks_in_short([check_row(name, value) for name, value in checks.items()]),
        "missing": files.train is None,
    }


def whole_seconds(seconds: Any) -> float | None:
    """Seconds of training, stated as one figure or by stage."""
    if isinstance(seconds, Mapping):
        return float(sum(value for value in seconds.values() if words.known(value)))
    return float(seconds) if words.known(seconds) else None


def checks_in_short(checks: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Checks grouped by outcome, failures first: word, how many, and their names with details."""
    groups: dict[str, list[str]] = {}
    for check in sorted(checks, key=lambda one: one["word"] == "passed"):
        groups.setdefault(check["word"], []).append(
            f"{check['name']} ({check['detail']})" if check["detail"] else check["name"]
        )
    return [{"word": word, "names": ", ".join(names)} for word, names in groups.items()]


def check_row(name: str, value: Any) -> dict[str, str]:
    """A self-check of training: its name, `passed`, `failed` or `unknown`, and the worst difference found."""
    body = value if isinstance(value, Mapping) else {"passed": value}
    passed = body.get("passed")
    word = "passed" if passed is True else "failed" if passed is False else words.UNKNOWN
    worst = next((body[key] for key in ("worst", "difference") if words.known(body.get(key))), None)
    said = "" if worst is None else "exact" if worst == 0 else f"within {worst:.1e}"
    meaning = str(body.get("meaning") or "") if word == "failed" else ""
    return {"name": words.spaced(name), "word": word, "detail": " ".join(part for part in (said, meaning) if part)}
