"""Every figure that some room measures and a criterion may compare; the report writes labels from it too."""

from __future__ import annotations

from assay.audits.pairs.pair_meanings import MEANINGS
from assay.findings.vocabulary import Vocabulary
from assay.study.analysis.vote_meanings import VOTE_FIGURES

EVERY_FIGURE = Vocabulary(tuple(MEANINGS.values()), VOTE_FIGURES)
