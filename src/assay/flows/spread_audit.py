"""An audit whose answers are scored by several workers: `assay audit --engine ray`. What it asks is `audit.py`'s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.bulk.held_work import ScorerOpening
from assay.bulk.spread import Crewing, spread_scorers
from assay.bulk.spread_scorer import Aside
from assay.flows.audit import ScorerAudit, ScorerAuditConfig, audit_scorer, audit_scorers, refuse_run_folder

KEPT = "blocks"  # in the audit's folder, while it scores


def audit_by(
    crewing: Crewing | None,
    opening: ScorerOpening,
    source: str,
    out: Path,
    *,
    config: ScorerAuditConfig,
    trained_on: str | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> tuple[ScorerAudit, tuple[Aside, ...]]:
    """As `audit_scorer`, of what `opening` names, by this process, or by workers where it is said how they are crewed.

    Besides what was found, the prompts that ended every worker that took them: their pairs are left out and named.
    Raises InputError for what is asked over a network and is to be spread.
    """
    refuse_run_folder(out)
    if crewing is None:
        return audit_scorer(
            opening.scorer, source, out, config=config, template=opening.template, trained_on=trained_on, notify=notify
        ), ()
    with spread_scorers(opening, crewing, kept=out / KEPT) as spread:
        found = audit_scorers(spread.scorers, source, out, config=config, trained_on=trained_on, notify=notify)
        return found, tuple(one for scorer in spread.scorers.values() for one in scorer.aside)
