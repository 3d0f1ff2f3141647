"""Every figure that some room measures and a criterion may compare; the report writes labels from it too."""

from __future__ import annotations

from assay.audits.label_quality.label_meanings import LABEL_FIGURES
from assay.audits.pairs.pair_meanings import PAIR_FIGURES
from assay.audits.slices.slice_meanings import SLICE_FIGURES
from assay.audits.style.style_meanings import STYLE_FIGURES
from assay.findings.vocabulary import Vocabulary
from assay.study.analysis.vote_meanings import VOTE_FIGURES

EVERY_FIGURE = Vocabulary(PAIR_FIGURES, LABEL_FIGURES, STYLE_FIGURES, SLICE_FIGURES, VOTE_FIGURES)
