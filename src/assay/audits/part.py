"""What every part of an audit on labelled pairs is given, and what it gives back. Computes nothing.

A new part is one file (or one folder) under `audits/` with a function from Given to Found, and one line in
`pairs/audit.py`. Figures that can alarm carry an Alarm: the audit judges all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.audits.config import AuditConfig
from assay.audits.rescored import Rescored
from assay.audits.scored_group import ScoredGroup
from assay.audits.scores_table import Aligned
from assay.audits.trained_on import TrainedOn
from assay.findings.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an audit may be given beside scores: rewards of answers as they were not given, what was trained on.

    candidates: the groups that pairs were derived from, for figures of whole groups. parts: what else is to be found,
    for scorers that say more than numbers.
    """

    rescored: Rescored | None = None
    trained_on: TrainedOn | None = None
    candidates: Sequence[ScoredGroup] = ()
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an audit is made on: scores and pairs in line, the audit's options, and what was gathered beside.

    candidates: the groups that the pairs were derived from, where the data hold groups.
    """

    aligned: Aligned
    config: AuditConfig
    rescored: Rescored | None = None
    trained_on: TrainedOn | None = None
    candidates: Sequence[ScoredGroup] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a part found. tables: for who draws it, by their names in AuditTables. beside: rows of files by name, which
    are written beside audit.json, one JSON object a line."""

    findings: Sequence[Finding]
    tables: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)


Part = Callable[[Given], Found]
