"""From any scorer and rows to scores, by several workers: `assay score --engine ray`. Knows the order of the steps.

Into one file, as a single process writes it; or, of candidates of any size, into a folder of parts, where rows pass
through: of the data as many blocks are held as workers have in hand, of the results no more than is written next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from assay.bulk.candidate_places import candidates_at
from assay.bulk.folders import holds_parts, open_folder
from assay.bulk.held_work import ScorerOpening
from assay.bulk.parts_folder import PartsJob, PartSuffix, SetAsideBlock
from assay.bulk.spread import Crewing, parts_scorer, spread_scorers
from assay.bulk.spread_scorer import Aside
from assay.errors import EmptyBatchError
from assay.flows.score import ScoreConfig, ScoreFile, Tally, score_file
from assay.scorers.open import open_scorer
from assay.scorers.protocol import CHUNK, chunks, score_chunks
from assay.scorers.scores_file import prompt_row

Notify = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadScores:
    """What was written, as of one process, and what was set aside. workers, threads: that it was computed by; threads
    is None on GPUs."""

    done: ScoreFile
    aside: tuple[Aside, ...]
    workers: int
    threads: int | None


def spread_score(
    opening: ScorerOpening,
    source: str,
    out: str,
    *,
    crewing: Crewing,
    config: ScoreConfig,
    block: int = CHUNK,
    notify: Notify = lambda _rows: None,
) -> SpreadScores:
    """Score the rows of `source` into `out`, a file or a folder of parts, Parquet where its name says so.

    block: prompts that one worker gets at once. Raises InputError for what cannot be read, for pairs that are to become
    parts and for what is asked over a network, EmptyBatchError where there is no row, ArtifactError where another
    command writes there or something else lies there, and what opening and scoring raise.
    """
    open_scorer(opening.scorer, passes=opening.passes, template=opening.template)  # one, and not a run's several
    if holds_parts(out):
        return _into_parts(opening, source, out, crewing=crewing, config=config, block=block, notify=notify)
    path = Path(out)
    kept = path.with_name(f"{path.name}.blocks")
    with spread_scorers(opening, crewing, kept=kept) as spread:
        (scorer,) = spread.scorers.values()
        done = score_file(scorer, source, path, config=config, block=block, notify=notify)
        return SpreadScores(done=done, aside=tuple(scorer.aside), workers=spread.workers, threads=spread.threads)


def _into_parts(
    opening: ScorerOpening,
    source: str,
    out: str,
    *,
    crewing: Crewing,
    config: ScoreConfig,
    block: int,
    notify: Notify,
) -> SpreadScores:
    suffix: PartSuffix = ".parquet" if out.rstrip("/").endswith(".parquet") else ".jsonl"
    groups = candidates_at(source, ignore=config.data.ignore)
    first = next(groups, None)  # what cannot be read costs no worker
    if first is None:
        raise EmptyBatchError(f"{source}: no candidates to score.")
    job = PartsJob(holds="scores", by=opening.scorer, fingerprint="", source=source, block=block, threads=None)
    tally, blocks = Tally(notify), 0
    with parts_scorer(opening, crewing, open_folder(out), suffix=suffix, job=job) as (spread, parts):
        (scorer,) = spread.scorers.values()
        for chunk in score_chunks(scorer, chunks(chain([first], groups), block)):
            for _ in tally.counted(prompt_row(group, results) for group, results in chunk):
                pass  # counted, and written by whoever keeps them
            blocks += 1
        aside = [SetAsideBlock(prompts=one.groups, first=one.first, last=one.last, why=one.why) for one in scorer.aside]
        parts.finish(blocks=blocks, prompts=tally.rows, missing=tally.unscored, set_aside=aside)
        done = ScoreFile(
            unit="prompts", rows=tally.rows, unscored=tally.unscored, not_finite=tally.not_finite, rejects=0,
            fingerprint=parts.job.fingerprint, first_reason=tally.first_reason,
        )  # fmt: skip
        return SpreadScores(done=done, aside=tuple(scorer.aside), workers=spread.workers, threads=spread.threads)
