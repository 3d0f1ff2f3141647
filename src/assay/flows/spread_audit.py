"""An audit whose answers are scored by several workers: `assay audit --engine ray`. What it asks is `audit.py`'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.bulk.held_work import ScorerOpening
from assay.bulk.spread import Crewing, spread_scorers
from assay.bulk.spread_scorer import Aside
from assay.flows.audit import ScorerAudit, ScorerAuditConfig, audit_scorers, refuse_run_folder

KEPT = "blocks"  # in the audit's folder, while it scores


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadAudit:
    """What was found; aside: prompts that ended every worker that took them, whose pairs are left out and named."""

    found: ScorerAudit
    aside: tuple[Aside, ...]


def spread_audit(
    opening: ScorerOpening,
    source: str,
    out: Path,
    *,
    crewing: Crewing,
    config: ScorerAuditConfig,
    trained_on: str | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> SpreadAudit:
    """As `audit_scorers`, of what `opening` names. Raises InputError for what is asked over a network besides."""
    refuse_run_folder(out)
    with spread_scorers(opening, crewing, kept=out / KEPT) as spread:
        found = audit_scorers(spread.scorers, source, out, config=config, trained_on=trained_on, notify=notify)
        return SpreadAudit(found=found, aside=tuple(one for s in spread.scorers.values() for one in s.aside))
