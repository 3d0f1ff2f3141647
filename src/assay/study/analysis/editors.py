"""People one by one: each editor's own figures, and who failed the attention items. Knows votes and who gave them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from assay.findings.finding import Finding
from assay.findings.slice import Slice
from assay.study.analysis import vote_figures
from assay.study.analysis.ballots import ballots, by_editor
from assay.study.analysis.vote_figures import Frame
from assay.study.study_records import ClosedStudy, StudyVote


def failing(votes: Sequence[StudyVote], least: float) -> frozenset[str]:
    """Editors who judged less than `least` of their attention items right."""
    # An editor who saw no attention item has failed none.
    checks: dict[str, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.kind == "attention":
            checks[vote.editor].append(vote.choice == vote.expected)
    return frozenset(name for name, right in checks.items() if sum(right) / len(right) < least)


def editor_findings(closed: ClosedStudy, people: Sequence[StudyVote], frame: Frame) -> list[Finding]:
    """Each person's own figures; an editor who said nothing has them unknown, with the reason."""
    out, votes = [], by_editor(people)
    for editor in closed.study.editors:
        if editor.judge == "human":
            out += _one_editor(votes[editor.name], Slice("editor", editor.name), frame)
    return out


def _one_editor(own: Sequence[StudyVote], where: Slice, frame: Frame) -> list[Finding]:
    level = frame.config.level
    found = ballots(own, frame.ours)
    nobody = "every judgement was an abstention" if any(vote.kind == "real" for vote in own) else "judged nothing"
    return [
        *vote_figures.win_rates(found, where, level=level, nobody=nobody),
        vote_figures.side_findings(found, where, level=level)[0],
        vote_figures.choice_findings(own, where, level=level)[2],
        vote_figures.consistency_finding(own, where, frame),
        vote_figures.attention_finding(own, where, level=level),
        *vote_figures.time_findings(own, where, frame),
    ]
