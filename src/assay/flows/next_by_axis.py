"""`assay study next` by axis: closed studies, a file of comparisons, scores -> what to ask about next, and why.

Knows the order: what may be asked, where each axis stands, in that what nobody voted on too, what is proposed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from assay.errors import ConfigError, StudyError
from assay.study.analysis.axis_pool import AxisPool, axis_scores, judged_comparisons, new_comparisons
from assay.study.analysis.axis_proposals import AxisProposal, propose_by_axis
from assay.study.analysis.axis_standing import AxisStanding, Enough, standings
from assay.study.analysis.training_rows import HUMANS
from assay.study.config import NextConfig
from assay.study.read_study import read_study
from assay.study.study_records import ClosedStudy, EditorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NextByAxis:
    """What is proposed, of which pool, and where each axis stands: overall first, then by category."""

    proposals: Sequence[AxisProposal]
    pool: AxisPool
    standings: Mapping[str, Sequence[AxisStanding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisRequest:
    """What is asked for.

    scores: files, or NAME=FILE of one axis. pairs: what they score; None: the studies' own comparisons again. axes: ()
    for the studies' aspects, or those that scores name. random: None for half of count.
    """

    scores: Sequence[str] = ()
    pairs: str | None = None
    studies: Sequence[str] = ()
    axes: Sequence[str] = ()
    judges: Collection[EditorKind] = HUMANS
    count: int = 50
    random: int | None = None
    seed: int = 0


def next_by_axis(asked: AxisRequest, *, settings: NextConfig) -> NextByAxis:
    """Propose comparisons, part of them drawn from the pool by the seed alone.

    Without a study and an axis everything must be random. Raises ConfigError, StudyError and InputError for what does
    not fit together.
    """
    random = asked.count // 2 if asked.random is None else asked.random
    closed = [read_study(one) for one in asked.studies]
    named = _axes(asked.axes, closed, asked.scores)
    _insist_askable(asked, random, named)
    if asked.pairs is None:
        pool = judged_comparisons(closed, named, judges=asked.judges, config=settings.data)
    else:
        files = axis_scores(asked.scores, named)
        pool = new_comparisons(asked.pairs, files, closed, judges=asked.judges, config=settings.data)
    categories = {one.question.category for one in pool.questions if one.question.category is not None}
    enough = _enough(settings)
    where = {axis: standings(closed, axis, judges=asked.judges, enough=enough, asked=categories) for axis in named}
    proposals = propose_by_axis(pool.questions, where, count=asked.count, random=random, seed=asked.seed)
    return NextByAxis(proposals=proposals, pool=pool, standings=where)


def _insist_askable(asked: AxisRequest, random: int, named: Sequence[str]) -> None:
    if random > asked.count:
        raise ConfigError(f"--random {random}: more than --count {asked.count}. Lower it, or raise the count.")
    if not named and random < asked.count:
        raise ConfigError(
            "Nothing says where to ask: no study, no axis and no scores of one. Give --study STUDY or helpful=SCORES; "
            f"or --random {asked.count}, for a first round."
        )
    if asked.pairs is None and asked.scores:
        raise ConfigError(f"{asked.scores[0]}: scores of what? Give the file that was scored with --pairs.")
    if asked.pairs is None and not asked.studies:
        raise ConfigError("Nothing to ask about: give comparisons with --pairs FILE, or a study with --study.")
    if asked.scores and not named:
        raise ConfigError(f"{asked.scores[0]}: scores of no axis, and all is to be random. Leave one of them out.")


def _axes(given: Sequence[str], closed: Sequence[ClosedStudy], scores: Sequence[str]) -> list[str]:
    """The axes asked for, or those that studies and scores name. Raises StudyError for one no study asked people of."""
    asked = list(dict.fromkeys(aspect for one in closed for aspect in one.study.aspects))
    if closed and not asked:
        raise StudyError(
            f"Study {closed[0].study.id} asked for no aspects, so it has no axes. Make the next one with --set "
            "aspects=[helpful,harmless,honest]; to ask where models disagree on the whole, leave --study out."
        )
    unknown = [axis for axis in given if closed and axis not in asked]
    if unknown:
        raise StudyError(f"--objective {unknown[0]}: no study asked people of it. Their aspects: {', '.join(asked)}.")
    stated = [one.partition("=")[0] for one in scores if "=" in one]
    return list(dict.fromkeys(given or asked or stated))


def _enough(settings: NextConfig) -> Enough:
    axes = settings.axes
    return Enough(overall=axes.least, category=axes.least_in_category, level=axes.level)
