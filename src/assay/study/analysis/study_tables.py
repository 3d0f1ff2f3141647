"""The tables of an analysis: counts, a row a judge, every two editors, a row a prompt; and the facts of the study.

Knows votes and who gave them; leaves every share and interval to the figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations

from assay.artifacts.analysis_body import (
    AnalysisTables,
    AsideRow,
    EditorPairRow,
    EditorRow,
    ObservedPower,
    PromptRow,
    StudyFacts,
    VoteCounts,
)
from assay.stats.agreement import pair_agreement
from assay.stats.unknown import Unknown
from assay.study.analysis.ballots import ballots, by_editor, label, score, takes_part
from assay.study.analysis.vote_figures import Frame
from assay.study.study_records import EDITOR_KINDS, ClosedStudy, StudyVote

MANY = 30  # editors; above this, a table of every two of them says nothing to anyone
FELL = {1.0: "won", 0.5: "tied", 0.0: "lost"}
CHOICES = 4  # labels an item can get: one system, the other, tie, both bad


def analysis_tables(
    closed: ClosedStudy, kept: Sequence[StudyVote], failed: frozenset[str], power: ObservedPower | None, frame: Frame
) -> AnalysisTables:
    """kept: votes of people that count. failed: editors below the attention bar."""
    found = ballots(kept, frame.ours)
    people = {vote.editor for vote in kept}
    counted = found.counts()
    return AnalysisTables(
        counts=VoteCounts(
            real=sum(vote.kind == "real" for vote in kept),
            ballots=len(found),
            prompts=len(set(found.prompts)),
            people=None if frame.nameless else len(people),
            won=counted["won"],
            lost=counted["lost"],
            tied=counted["tied"],
            both_bad=counted["both_bad"] if frame.outside is None else None,
        ),
        editors=editor_rows(closed, failed),
        editor_pairs=pair_rows(kept, frame) if 1 < len(people) <= MANY and not frame.nameless else (),
        prompts=prompt_rows(kept, frame),
        power=power,
    )


def editor_rows(closed: ClosedStudy, failed: frozenset[str]) -> tuple[EditorRow, ...]:
    """Counts of every judge, people and programs, in the study's order."""
    rows, votes = [], by_editor(closed.votes)
    for editor in closed.study.editors:
        own = votes[editor.name]
        rows.append(
            EditorRow(
                editor=editor.name,
                judge=editor.judge,
                planned=closed.planned.get(editor.name),
                judged=len(own),
                abstained=sum(vote.choice == "abstain" for vote in own if vote.kind == "real"),
                undone=sum(vote.undone for vote in own),
                comments=sum(bool(vote.comment) for vote in own),
                failed_attention=editor.name in failed,
            )
        )
    return tuple(rows)


def pair_rows(votes: Sequence[StudyVote], frame: Frame) -> tuple[EditorPairRow, ...]:
    """Raw agreement, Cohen's kappa and Gwet's AC1 of every two editors who judged an item in common."""
    labels: dict[str, dict[str, float]] = defaultdict(dict)
    for vote in votes:
        if vote.kind == "real":
            labels[vote.editor][vote.item] = label(vote, frame.order)
    rows = []
    for first, second in combinations(labels, 2):
        common = sorted(labels[first].keys() & labels[second].keys())
        a, b = ([labels[name][item] for item in common] for name in (first, second))
        found = pair_agreement(a, b, categories=CHOICES)
        if not isinstance(found, Unknown):
            rows.append(
                EditorPairRow(
                    editors=(first, second),
                    n=found.n,
                    raw=found.raw,
                    kappa=found.kappa,
                    ac1=found.ac1,
                    reason=found.reason,
                )
            )
    return tuple(rows)


def prompt_rows(votes: Sequence[StudyVote], frame: Frame) -> tuple[PromptRow, ...]:
    """How people's votes on each prompt fell, by prompt id."""
    fell: dict[str, Counter[str]] = defaultdict(Counter)
    for vote in votes:
        if vote.kind == "real" and takes_part(vote, frame.ours):
            said = "abstained" if vote.choice == "abstain" else FELL[score(vote.choice, vote, frame.ours)]
            fell[vote.prompt_id][said] += 1
    return tuple(
        PromptRow(
            prompt_id=name,
            won=fell[name]["won"],
            tied=fell[name]["tied"],
            lost=fell[name]["lost"],
            abstained=fell[name]["abstained"],
        )
        for name in sorted(fell)
    )


def study_facts(closed: ClosedStudy) -> StudyFacts:
    """What was analysed, as the artifact tells it."""
    study = closed.study
    kinds = [editor.judge for editor in study.editors]
    question = study.config.get("question")
    return StudyFacts(
        id=study.id,
        title=study.title,
        created_at=study.created_at,
        closed_at=study.closed_at,
        seal=study.seal,
        systems=study.systems,
        judges={kind: kinds.count(kind) for kind in EDITOR_KINDS if kind in kinds},
        question=None if question is None else str(question),
        votes_from=dict(Counter(vote.source for vote in closed.votes)),
        set_aside=tuple(AsideRow(reason=aside.reason, prompt_id=aside.prompt_id) for aside in study.set_aside),
        giveaways=tuple(dict(giveaway) for giveaway in study.giveaways),
        planned_power=dict(study.power),
        outside=None if closed.outside is None else closed.outside.notes,
    )
