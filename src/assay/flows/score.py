"""From any scorer and pairs or candidates to a file of scores: `assay score`. Knows the order of the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.config import StageConfig
from assay.data import read_pairs
from assay.data.candidate_files import holds_candidates, read_candidates
from assay.data.config import DataConfig
from assay.errors import EmptyBatchError
from assay.findings.finding import Finding
from assay.policies.answer_candidates import answer_candidates, holds_answers
from assay.scorers.protocol import CHUNK, Scorer, Unscored, noticed
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.score_tables import write_score_rows
from assay.scorers.scores_file import PairRow, PromptRow, pair_rows, prompt_rows

EVERY = 1000  # rows between two words on how far it is


class ScoreConfig(StageConfig):
    """What `assay score` reads: how rows become pairs, and how a server is asked."""

    data: DataConfig = DataConfig()
    remote: RemoteConfig = RemoteConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFile:
    """What was written.

    unscored: rows with an answer that has no reward; not_finite: of them those with one that is no number. rejects:
    rows of data that were no pair. first_reason: why the first of the unscored has no reward. noticed: what the scorer
    found wrong with its own rewards.
    """

    unit: Literal["pairs", "prompts"]
    rows: int
    unscored: int
    not_finite: int
    rejects: int
    fingerprint: str
    first_reason: str | None = None
    noticed: tuple[Finding, ...] = ()


def score_file(
    scorer: Scorer,
    source: str,
    out: Path,
    *,
    config: ScoreConfig,
    block: int = CHUNK,
    notify: Callable[[int], None] = lambda _rows: None,
) -> ScoreFile:
    """Score pairs, or candidates, of `source` into `out`, in their order: JSON lines, or Parquet by its name.

    block: prompts put to the scorer at once. notify: gets the number of rows, now and then. Raises EmptyBatchError
    where there is no pair, and what reading data and scoring raise.
    """
    fingerprint = scorer.fingerprint  # a model that is not there or not to be run costs no reading of data
    rejects = 0
    rows: Iterable[PairRow | PromptRow]
    unit: Literal["pairs", "prompts"]
    if holds_candidates(Path(source)):
        unit, rows = (
            "prompts",
            prompt_rows(scorer, read_candidates(Path(source), ignore=config.data.ignore), chunk=block),
        )
    elif holds_answers(Path(source)):
        unit, rows = "prompts", prompt_rows(scorer, answer_candidates(Path(source)), chunk=block)
    else:
        found = read_pairs(source, config=config.data)
        if not found.pairs:
            raise EmptyBatchError(
                f"{source}: no pair to score among {found.rows} rows. Look at them with `assay check`."
            )
        unit, rows, rejects = "pairs", pair_rows(scorer, found.pairs, chunk=block), len(found.rejects)
    tally = Tally(notify)
    count = write_score_rows(out, tally.counted(rows), unit)
    return ScoreFile(
        unit=unit, rows=count, unscored=tally.unscored, not_finite=tally.not_finite, rejects=rejects,
        fingerprint=fingerprint, first_reason=tally.first_reason,
        noticed=tuple(noticed(scorer)),
    )  # fmt: skip


class Tally:
    """Counts the rows that pass by, and those with an answer that has no reward."""

    def __init__(self, notify: Callable[[int], None]) -> None:
        self.notify = notify
        self.rows = self.unscored = self.not_finite = 0
        self.first_reason: str | None = None

    def counted(self, rows: Iterable[PairRow | PromptRow]) -> Iterator[PairRow | PromptRow]:
        for row in rows:
            self.rows += 1
            reasons = _reasons(row)
            self.unscored += bool(reasons)
            if reasons and self.first_reason is None:
                self.first_reason = str(reasons[0])
            self.not_finite += any(Unscored(str(reason)).not_finite for reason in reasons)
            if self.rows % EVERY == 0:
                self.notify(self.rows)
            yield row


def _reasons(row: PairRow | PromptRow) -> Sequence[object]:
    """Why answers of a row have no reward, answers that have one left out."""
    found = row.get("reasons") or [row.get("reason")]
    return [reason for reason in found if reason] if isinstance(found, list) else []
