"""One audit of one scorer: scores and pairs in, findings and tables out. Knows the parts; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from pydantic import JsonValue, TypeAdapter

from assay.artifacts.audit_body import AuditBody, AuditTables
from assay.artifacts.files import write_jsonl
from assay.artifacts.run_folder import RunFolder
from assay.audits.candidates.group_findings import groups_part
from assay.audits.config import AuditConfig
from assay.audits.label_quality.labels_part import labels
from assay.audits.leakage.leaks import leakage_audit
from assay.audits.pairs.accuracy import accuracy_findings
from assay.audits.pairs.audit_tables import category_table, distribution_table, length_table, mistakes, seed_table
from assay.audits.pairs.calibration import calibration_audit
from assay.audits.pairs.distribution import distribution_findings
from assay.audits.pairs.length import length_findings
from assay.audits.part import Evidence, Found, Given, Part
from assay.audits.probes.probe_part import probe_audit
from assay.audits.prompt_use.answer_only import answer_only
from assay.audits.prompt_use.swapped_prompts import swapped_prompts
from assay.audits.scores_table import Scores, align
from assay.audits.slices.slices_part import slices_audit
from assay.audits.style.style_part import style_audit
from assay.findings.family import judged_together
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.records import Pair, PairScore

ARTIFACT = "audit.json"
_TABLES = TypeAdapter(AuditTables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found. inputs: hashes of what was audited, as the caller knows them.

    beside: rows of files that `write` puts beside audit.json, by name; empty in an audit that was read.
    """

    findings: tuple[Finding, ...]
    tables: AuditTables
    seeds: tuple[int, ...]
    pairs: int
    inputs: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, JsonValue] = field(default_factory=dict)
    beside: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict, compare=False, repr=False)

    def find(self, name: str, where: Slice | str = OVERALL, *, seed: int | None = None) -> Finding | None:
        """The finding of that name, slice ("category=refusals" will do) and seed (None: over seeds)."""
        place = Slice.read(where)
        return next((f for f in self.findings if (f.name, f.slice, f.seed) == (name, place, seed)), None)

    def to_body(self) -> AuditBody:
        return AuditBody(
            inputs=dict(self.inputs),
            config=dict(self.config),
            seeds=list(self.seeds),
            pairs=self.pairs,
            findings=[finding.to_body() for finding in self.findings],
            tables=self.tables,
        )

    def to_dict(self) -> dict[str, object]:
        """As it stands in audit.json."""
        return self.to_body().model_dump(mode="json")

    def write(self, folder: RunFolder) -> str:
        """Write audit.json, and what stands beside it before it; returns its hash."""
        # audit.json last: where it stands, the stage is done and all of it is there.
        for name, rows in self.beside.items():
            write_jsonl(folder.path(name), rows)
        return self.to_body().write(folder.path(ARTIFACT))

    @classmethod
    def read(cls, folder: RunFolder) -> Self:
        """The audit of a run. Raises ArtifactError where audit.json is missing, torn, or not what it says it is."""
        return cls.from_body(AuditBody.read(folder.path(ARTIFACT)))

    @classmethod
    def from_body(cls, body: AuditBody) -> Self:
        """Raises ArtifactError where a finding says what none can."""
        return cls(
            findings=tuple(Finding.from_body(row) for row in body.findings),
            tables=body.tables,
            seeds=tuple(body.seeds),
            pairs=body.pairs,
            inputs=body.inputs,
            config=body.config,
        )


def audit(
    scores: Mapping[int, Sequence[PairScore]] | Sequence[PairScore],
    pairs: Sequence[Pair],
    *,
    groups: Sequence[str] | None = None,
    config: AuditConfig | None = None,
    tokens: Mapping[str, tuple[int, int]] | None = None,
    inputs: Mapping[str, str] | None = None,
    evidence: Evidence | None = None,
) -> Audit:
    """Audit a scorer on labelled pairs it was not trained on.

    scores: one PairScore per pair, or several seeds' by seed. groups: prompt group of each pair, the unit intervals
    resample; by default declared groups, equal prompts and near-duplicate prompts (data.prompt_groups).
    tokens: pair id -> rendered tokens of (chosen, rejected), for the length rule in tokens. evidence: what was
    gathered beside, for the parts that need it.
    Raises InputError where scores and pairs do not match, EmptyBatchError where there is nothing to audit.
    """
    config = config or AuditConfig()
    by_seed: Scores = scores if isinstance(scores, Mapping) else {0: scores}
    aligned = align(by_seed, pairs, groups if groups is not None else default_groups(pairs, config), tokens)
    beside = evidence or Evidence()
    given = Given(
        aligned=aligned,
        config=config,
        rescored=beside.rescored,
        trained_on=beside.trained_on,
        candidates=beside.candidates,
    )
    parts = [part(given) for part in (*PARTS, *beside.parts)]
    findings = judged_together([one for part in parts for one in part.findings], level=config.level)
    tables: dict[str, object] = {name: table for part in parts for name, table in part.tables.items()}
    tables |= {"categories": category_table(findings), "seeds": seed_table(aligned, findings)}
    return Audit(
        findings=tuple(findings),
        tables=_TABLES.validate_python(tables),
        seeds=aligned.seeds,
        pairs=aligned.n,
        inputs=dict(inputs or {}),
        config=config.model_dump(mode="json"),
        beside={name: rows for part in parts for name, rows in part.beside.items()},
    )


def _accuracy(given: Given) -> Found:
    mistaken = mistakes(given.aligned, limit=given.config.mistakes)
    config = given.config
    findings = accuracy_findings(given.aligned, level=config.level, seed=config.seed)
    return Found(findings=findings, tables={"mistakes": mistaken})


def _length(given: Given) -> Found:
    table = length_table(given.aligned, config=given.config)
    return Found(findings=length_findings(given.aligned, config=given.config), tables={"length": table})


def _distribution(given: Given) -> Found:
    findings = distribution_findings(given.aligned, level=given.config.level)
    return Found(findings=findings, tables={"distribution": distribution_table(given.aligned)})


def _calibration(given: Given) -> Found:
    findings, table = calibration_audit(given.aligned, config=given.config)
    return Found(findings=findings, tables={"calibration": table})


PARTS: tuple[Part, ...] = (
    _accuracy,
    _length,
    _distribution,
    _calibration,
    labels,
    style_audit,
    slices_audit,
    answer_only,
    swapped_prompts,
    probe_audit,
    leakage_audit,
    groups_part,
)


def default_groups(pairs: Sequence[Pair], config: AuditConfig) -> list[str]:
    """The groups a split would use."""
    from assay.data import prompt_groups
    from assay.data.config import DataConfig

    return list(prompt_groups(pairs, threshold=DataConfig().near_duplicates, seed=config.seed))
