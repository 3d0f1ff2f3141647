"""Every figure that some room measures and a criterion may compare; the report writes labels from it too."""

from __future__ import annotations

from assay.audits.pairs.pair_meanings import PAIR_FIGURES
from assay.findings.vocabulary import Vocabulary
from assay.scorers.remote.activated import REMOTE_FIGURES
from assay.study.analysis.vote_meanings import VOTE_FIGURES

EVERY_FIGURE = Vocabulary(PAIR_FIGURES, REMOTE_FIGURES, VOTE_FIGURES)
