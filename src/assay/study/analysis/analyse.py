"""A closed study to findings. Knows who judged; leaves every figure to `figures` and `judges`.

Figures called "overall" are of people only. Programs that judged have slices of their own ("judges=llm",
"judge=NAME") and never enter a figure of people.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from assay.errors import ArtifactError, StudyError
from assay.findings.finding import Finding, unknown
from assay.findings.vocabulary import STUDY_MEANINGS
from assay.study.analysis import editors, vote_figures
from assay.study.analysis.ballots import Ballots, aspect_ballots, ballots, takes_part
from assay.study.analysis.vote_figures import Frame
from assay.study.config import AnalysisConfig
from assay.study.plan.study_power import study_power
from assay.study.study_records import EDITOR_KINDS, ClosedStudy, StudyVote

SCHEMA = "analysis/1"
NO_CATEGORY = "none"
MANY = 30  # editors; above this, a table of every two of them says nothing to anyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a study found. ours: the system its rates are about. study: what was analysed, by seal and hashes."""

    findings: tuple[Finding, ...]
    tables: Mapping[str, Any]
    ours: str
    study: Mapping[str, Any]
    config: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()

    def find(self, name: str, where: str = "overall") -> Finding | None:
        return next((f for f in self.findings if (f.name, f.slice) == (name, where)), None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "inputs": dict(self.inputs),
            "config": dict(self.config),
            "study": dict(self.study),
            "ours": self.ours,
            "findings": [finding.to_dict() for finding in self.findings],
            "tables": dict(self.tables),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Raises ArtifactError if `value` is not the body of an analysis."""
        try:
            findings = tuple(Finding.from_dict(row) for row in value["findings"])
            rest = {name: value[name] for name in ("tables", "ours", "study", "config", "inputs")}
            return cls(findings=findings, **rest)
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"analysis.json: {error} is missing or malformed. Analyse the study again.") from None


def analyse(closed: ClosedStudy, *, config: AnalysisConfig | None = None) -> Analysis:
    """Every figure of a closed study, unknown ones with their reason.

    Raises StudyError where `config.system` is not a system of the study.
    """
    config = config or AnalysisConfig()
    if config.editors == "numbered":
        closed = numbered(closed)
    frame = Frame(
        ours=_ours(closed, config),
        order={name: index for index, name in enumerate(closed.study.systems)},
        items=closed.items,
        config=config,
    )
    people = [vote for vote in closed.votes if vote.judge == "human"]
    failed = editors.failing(people, config.attention_pass)
    kept = [vote for vote in people if config.failed_attention == "keep" or vote.editor not in failed]
    findings = _people(closed, people, kept, frame)
    findings += _both_ways(people, failed, frame)
    for kind in EDITOR_KINDS:
        programs = [vote for vote in closed.votes if vote.judge == kind]
        if kind != "human" and programs:
            findings += editors.program_findings(programs, kept, kind, frame)
    findings += editors.person_against_others(kept, frame)
    return Analysis(
        findings=tuple(findings),
        tables=_tables(closed, kept, failed, findings, frame),
        ours=frame.ours,
        study=_study_facts(closed),
        config=config.model_dump(mode="json"),
        inputs={"seal": closed.study.seal, **closed.study.inputs},
    )


def _ours(closed: ClosedStudy, config: AnalysisConfig) -> str:
    systems = closed.study.systems
    if not systems:
        raise StudyError("The study names no system. Make it again from files that do.")
    if config.system is not None and config.system not in systems:
        raise StudyError(f"No system of this study is called {config.system!r}. It has: {', '.join(systems)}.")
    return config.system or systems[-1]


def _people(closed: ClosedStudy, people: Sequence[StudyVote], kept: Sequence[StudyVote], frame: Frame) -> list[Finding]:
    """All figures of people, over everything and over parts."""
    level = frame.config.level
    humans = {editor.name for editor in closed.study.editors if editor.judge == "human"}
    planned = sum(count for name, count in closed.planned.items() if name in humans)
    coverage = vote_figures.coverage_finding(len(people), planned)
    found = ballots(kept, frame.ours)
    if not any(vote.kind == "real" for vote in kept):
        why = nobody(closed, people)
        slices = [unknown(name, why) for name in STUDY_MEANINGS if name not in ("coverage", *editors.OF_PROGRAMS)]
        return [*slices, coverage, *editors.editor_findings(closed, people, frame)]
    out = vote_figures.win_rates(found, "overall", level=level, nobody=_no_ballots(kept, frame))
    out.append(vote_figures.length_finding(found, "overall", frame))
    out += vote_figures.majority_findings(found, "overall", level=level)
    out += vote_figures.choice_findings(kept, "overall", level=level)
    out += vote_figures.side_findings(found, "overall", level=level)
    out.append(vote_figures.consistency_finding(kept, "overall", frame))
    out += vote_figures.agreement_findings(kept, "overall", frame)
    out.append(vote_figures.attention_finding(people, "overall", level=level))
    out += vote_figures.time_findings(kept, "overall", frame)
    out += [coverage, vote_figures.icc_finding(found, "overall")]
    out += _parts(closed, kept, found, frame)
    return out + editors.editor_findings(closed, people, frame)


def _no_ballots(kept: Sequence[StudyVote], frame: Frame) -> str:
    if any(takes_part(vote, frame.ours) for vote in kept):
        return f"every judgement of {frame.ours} was an abstention"
    return f"no judgement compares {frame.ours} with another system"


def _parts(closed: ClosedStudy, kept: Sequence[StudyVote], found: Ballots, frame: Frame) -> list[Finding]:
    """Win rates by category, by rated aspect and by opponent; strengths of three or more systems."""
    level = frame.config.level
    out = []
    categories = sorted({vote.category or NO_CATEGORY for vote in found.votes})
    if categories != [NO_CATEGORY]:
        for name in categories:
            part = found.where(lambda vote, name=name: (vote.category or NO_CATEGORY) == name)  # type: ignore[misc]
            out += vote_figures.win_rates(part, f"category={name}", level=level)
    for aspect in closed.study.aspects:
        rated = aspect_ballots(kept, frame.ours, aspect)
        out += vote_figures.win_rates(rated, f"aspect={aspect}", level=level, nobody="nobody rated this aspect")
    if len(closed.study.systems) > 2:
        for name in closed.study.systems:
            if name != frame.ours:
                part = found.where(lambda vote, name=name: name in (vote.left_system, vote.right_system))  # type: ignore[misc]
                out += vote_figures.win_rates(part, f"against={name}", level=level, nobody="never compared by a person")
        out += editors.strengths(kept, closed.study.systems, frame)
    return out


def _both_ways(people: Sequence[StudyVote], failed: frozenset[str], frame: Frame) -> list[Finding]:
    """The win rate with and without editors who failed attention items, where there are any."""
    if not failed:
        return []
    without = ballots((vote for vote in people if vote.editor not in failed), frame.ours)
    everyone = ballots(people, frame.ours)
    level, nobody_ = frame.config.level, "every editor failed the attention items"
    return [
        vote_figures.win_rates(everyone, "editors=all", level=level)[0],
        vote_figures.win_rates(without, "editors=attention passed", level=level, nobody=nobody_)[0],
    ]


def nobody(closed: ClosedStudy, people: Sequence[StudyVote]) -> str:
    """Why there is no figure of people."""
    if people:
        excluded = any(vote.kind == "real" for vote in people)
        return "every editor failed the attention items" if excluded else "no person judged a real item"
    kinds = sorted({vote.judge for vote in closed.votes})
    if kinds:
        return f"only programs judged ({', '.join(kinds)}), and they are no people"
    return "nobody voted"


def _tables(
    closed: ClosedStudy,
    kept: Sequence[StudyVote],
    failed: frozenset[str],
    findings: Sequence[Finding],
    frame: Frame,
) -> dict[str, Any]:
    found = ballots(kept, frame.ours)
    by_name = {finding.name: finding for finding in findings if finding.slice == "overall"}
    people = {vote.editor for vote in kept}
    return {
        "counts": {
            "real": sum(vote.kind == "real" for vote in kept),
            "ballots": len(found),
            "prompts": len(set(found.prompts)),
            "people": len(people),
            **found.counts(),
        },
        "editors": editors.editor_rows(closed, failed),
        "editor_pairs": editors.pair_rows(kept, frame) if 1 < len(people) <= MANY else [],
        "prompts": editors.prompt_rows(kept, frame),
        "power": _power(found, by_name),
    }


def _power(found: Ballots, by_name: Mapping[str, Finding]) -> dict[str, Any]:
    """What a study like this one, as it turned out, could see; empty where that is not known."""
    icc = by_name.get("icc")
    prompts = len(set(found.prompts))
    if prompts < 2 or icc is None:
        return {}
    counts = found.counts()
    ties = (counts["tied"] + counts["both_bad"]) / len(found)
    # Where every prompt has one vote the likeness of votes is unknown, and does not matter.
    alike = min(max(icc.value, 0.0), 0.99) if icc.value is not None else 0.0
    editors = len(found) / prompts
    told = study_power(prompts=prompts, editors=editors, icc=alike, ties=min(ties, 0.99)).as_dict()
    more = {}
    for target in (0.55, 0.6, 0.65):
        if target < 1 - ties / 2:
            more[f"{target:.0%}"] = _prompts_for(target, editors, alike, ties)
    return {**told, "icc_measured": icc.value, "prompts_for": more}


def _prompts_for(rate: float, editors: float, icc: float, ties: float) -> int:
    """Prompts at which this true win rate is told from one half with 80% probability (normal approximation)."""
    variance = max(rate * (1 - rate) - ties / 4, 1e-9) * (1 + (max(editors, 1.0) - 1) * icc) / max(editors, 1.0)
    return math.ceil((1.959964 + 0.841621) ** 2 * variance / (rate - 0.5) ** 2)


def _study_facts(closed: ClosedStudy) -> dict[str, Any]:
    study = closed.study
    kinds = [editor.judge for editor in study.editors]
    return {
        "id": study.id,
        "title": study.title,
        "created_at": study.created_at,
        "closed_at": study.closed_at,
        "seal": study.seal,
        "systems": list(study.systems),
        "judges": {kind: kinds.count(kind) for kind in EDITOR_KINDS if kind in kinds},
        "question": study.config.get("question"),
        "votes_from": dict(Counter(vote.source for vote in closed.votes)),
        "set_aside": [{"reason": aside.reason, "prompt_id": aside.prompt_id} for aside in study.set_aside],
        "giveaways": [dict(giveaway) for giveaway in study.giveaways],
        "planned_power": dict(study.power),
    }


def numbered(closed: ClosedStudy) -> ClosedStudy:
    """The same study with people called editor-1, editor-2, ... in the study's order; programs keep their names."""
    people = [editor.name for editor in closed.study.editors if editor.judge == "human"]
    names = {name: f"editor-{number}" for number, name in enumerate(people, 1)}

    def new(name: str) -> str:
        return names.get(name, name)

    return ClosedStudy(
        study=replace(closed.study, editors=tuple(replace(e, name=new(e.name)) for e in closed.study.editors)),
        items=closed.items,
        votes=tuple(replace(vote, editor=new(vote.editor)) for vote in closed.votes),
        planned={new(name): count for name, count in closed.planned.items()},
    )
