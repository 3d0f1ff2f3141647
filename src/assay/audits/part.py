"""What every part of an audit on labelled pairs is given, and what it gives back. Computes nothing.

A new part is one file (or one folder) under `audits/` with a function from Given to Found, and one line in
`pairs/audit.py`. Figures that can alarm carry an Alarm: the audit judges all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.audits.config import AuditConfig
from assay.audits.scored_group import ScoredGroup
from assay.audits.scores_table import Aligned
from assay.findings.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an audit is made on: scores and pairs in line, and the audit's options.

    candidates: the groups that the pairs were derived from, where the data hold groups.
    """

    aligned: Aligned
    config: AuditConfig
    candidates: Sequence[ScoredGroup] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a part found. tables: for who draws it, by their names in AuditTables."""

    findings: Sequence[Finding]
    tables: Mapping[str, object] = field(default_factory=dict)


Part = Callable[[Given], Found]
